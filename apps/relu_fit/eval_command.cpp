#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "region/network/network_file.h"
#include "region/run/fit_run.h"
#include "region/target/rows.h"
#include "relu_fit/commands.h"
#include "relu_fit/network_flag.h"
#include "relu_fit/target_flags.h"

namespace asap::relu_fit {
namespace {

std::string csv_field(const std::string& name) {
  if (name.find_first_of(",\"\n") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// The rows of a file as they stand, with what the network says of each.
struct Predictions {
  region::InputRows rows;
  std::string target;  ///< name of its column, if rows.y
  std::vector<double> values;

  Predictions(region::InputRows given, std::string target_name, const region::ReluNetwork& network)
      : rows(std::move(given)), target(std::move(target_name)) {
    values.resize(static_cast<std::size_t>(rows.x.rows().rows));
    network.evaluate(rows.x.rows(), values);
  }

  std::string csv() const {
    std::string text;
    for (const std::string& name : rows.inputs) text += csv_field(name) + ",";
    if (rows.y) text += csv_field(target) + ",";
    text += "prediction\n";
    const auto width = static_cast<std::size_t>(rows.x.rows().cols);
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (std::size_t j = 0; j < width; ++j)
        text += base::format_number(rows.x.data()[i * width + j]) + ",";
      if (rows.y) text += base::format_number((*rows.y)[i]) + ",";
      text += base::format_number(values[i]) + "\n";
    }
    return text;
  }

  /// Rows of which an input lies outside the interval.
  std::int64_t outside(const std::optional<numerics::Interval>& interval) const {
    std::int64_t count = 0;
    const auto width = static_cast<std::size_t>(rows.x.rows().cols);
    for (std::size_t i = 0; interval && i < values.size(); ++i) {
      const double* const x = rows.x.data() + i * width;
      count += std::any_of(x, x + width, [&](double value) {
        return value < interval->low || value > interval->high;
      });
    }
    return count;
  }

  struct Errors {
    double mse = 0, max_error = 0, r2 = 0;
  };
  Errors errors() const {
    const auto count = static_cast<double>(values.size());
    double mean = 0, spread = 0;
    Errors errors;
    for (const double y : *rows.y) mean += y / count;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double y = (*rows.y)[i], error = values[i] - y;
      errors.mse += error * error / count;
      errors.max_error = std::max(errors.max_error, std::abs(error));
      spread += (y - mean) * (y - mean) / count;
    }
    errors.r2 = spread > 0 ? 1 - errors.mse / spread : 0;
    return errors;
  }
};

class EvalCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* eval = app.add_subcommand(
        "eval",
        "Evaluate a network at given x or on the rows of a file, and measure its errors where the "
        "values are known.");
    add_network(*eval, network_);
    eval->add_option("--x", x_, "Where to evaluate; comma-separated")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(cli::number_in({}));
    target_.add_to(*eval, "--x-column");
    eval->add_flag("--no-target", no_target_,
                   "Only predict: no column of --data is the value to be predicted");
    cli::add_common_options(*eval, common_, "relu-fit",
                            "relu-fit eval --network runs/exp/network.json --x 0.25,0.5");
    return eval;
  }

  void run() override {
    if (x_.empty() && !target_.given())
      throw base::UsageError("nothing to evaluate", "give --x 0.5, --function EXPR or --data FILE");
    target_.require_data_for_columns();
    if (no_target_ && (target_.data.empty() || !target_.columns.y.empty()))
      throw base::UsageError("--no-target is for --data without `y_column`",
                             "leave one of them out");
    stored_ = region::read_network(network_);
    cli::OutputFolder folder(common_, false);
    evaluate_points();
    if (!target_.data.empty())
      evaluate_data(folder);
    else if (target_.given())
      measure_function();
    folder.finish(summary_, text_);
  }

 private:
  bool several() const { return stored_.network.inputs() > 1; }

  /// At the points of --x.
  void evaluate_points() {
    const std::int64_t inputs = stored_.network.inputs();
    if (static_cast<std::int64_t>(x_.size()) % inputs != 0)
      throw base::UsageError("--x: " +
                                 base::counted(x_.size(), "number does not make whole points",
                                               "numbers do not make whole points") +
                                 " of " + base::counted(inputs, "input"),
                             "give all coordinates of one point, then those of the next");
    const auto points = static_cast<std::int64_t>(x_.size()) / inputs;
    std::vector<double> y(static_cast<std::size_t>(points));
    stored_.network.evaluate(tensor::MatrixView<const double>(x_.data(), points, inputs), y);
    summary_ = {{"x", x_}, {"y", y}};
    for (std::size_t i = 0; i < y.size(); ++i)
      text_ +=
          (several() ? "" : base::format_number(x_[i]) + "  ") + base::format_number(y[i]) + "\n";
  }

  void measure_function() {
    if (several())
      throw base::UsageError("--function is for one input",
                             "use --data with a column for the target");
    if (target_.interval.empty() && stored_.interval)
      target_.interval = {base::format_number(stored_.interval->low),
                          base::format_number(stored_.interval->high)};
    measure(target_.target());
  }

  /// Errors at the points, and between them.
  void measure(const region::Target& target) {
    const region::FitMeasures measures = region::measure_fit(target, stored_.network);
    summary_["mse"] = measures.mse;
    summary_["dense_mse"] = measures.dense_mse;
    summary_["max_error"] = measures.max_error;
    text_ += "mse " + base::format_significant(measures.mse) + ", dense mse " +
             base::format_significant(measures.dense_mse) + ", max error " +
             base::format_significant(measures.max_error) + "\n";
  }

  void measure_points(region::PointsFile file) {
    const region::Samples& samples = file.samples;
    if (samples.size() >= region::kFewestPoints)
      return measure(region::noted_target(target_.data, std::move(file)));
    // Too few for a curve between them.
    std::vector<double> prediction(samples.x.size());
    stored_.network.evaluate(samples.x, prediction);
    const double mse = region::mean_squared_error(samples, prediction) +
                       file.spread.mean_variance(samples),
                 largest = region::max_error(samples, file.spread, prediction);
    summary_["mse"] = mse;
    summary_["max_error"] = largest;
    text_ += "mse " + base::format_significant(mse) + ", max error " +
             base::format_significant(largest) + " at " + base::counted(samples.size(), "point") +
             "\n";
  }

  /// The rows of one input: the points in ascending order where y is known, else as they stand.
  region::InputRows point_rows(const std::optional<region::PointsFile>& points,
                               const std::string& bytes) const {
    if (!points) return region::parse_inputs(bytes, {"", {x_column(bytes)}}, target_.data);
    region::InputRows rows{{"x"}, {}, points->samples.y};
    rows.x = tensor::Tensor<double>({points->samples.size(), 1});
    std::ranges::copy(points->samples.x, rows.x.data());
    return rows;
  }

  /// The column of x in a file without y.
  std::string x_column(const std::string& bytes) const {
    if (!target_.columns.x.empty()) return target_.columns.x;
    const region::ColumnList list = region::parse_columns(bytes, target_.data);
    for (const std::string& name : stored_.inputs)
      if (std::ranges::find(list.names, name) != list.names.end()) return name;
    if (std::ranges::find(list.names, "x") != list.names.end()) return "x";
    if (list.count == 1) return "1";
    throw base::UsageError(
        target_.data + ": which of the " + base::counted(list.count, "column") + " is x?",
        "name it: `x_column` NAME, or its number from 1");
  }

  region::ColumnChoice several_columns() const {
    if (target_.columns.any())
      throw base::UsageError("`x_column`, `y_column` and `weight_column` are for one input",
                             "the columns of several inputs stand in the network's file");
    if (stored_.inputs.empty())
      throw base::DataError(network_.string() + ": the network does not name its inputs",
                            "fit it with --target or --inputs, which stores them");
    return {no_target_ ? "" : stored_.target, stored_.inputs};
  }

  void evaluate_data(cli::OutputFolder& folder) {
    target_.require_one();
    const std::string bytes = base::read_file(target_.data);  // a pipe can be read only once
    std::optional<region::PointsFile> points;
    if (!several() && !no_target_ && !region::has_one_column(bytes, target_.data))
      points = target_.points(bytes);
    const Predictions predictions(several()
                                      ? region::parse_inputs(bytes, several_columns(), target_.data)
                                      : point_rows(points, bytes),
                                  several() ? stored_.target : "y", stored_.network);
    const std::int64_t outside = predictions.outside(stored_.interval);
    summary_["rows"] = predictions.values.size();
    summary_["outside"] = outside;
    if (points)
      measure_points(*std::move(points));
    else if (predictions.rows.y)
      add_errors(predictions.errors());
    if (!common_.out.empty()) {
      folder.begin();
      base::write_file_atomically(common_.out / "predictions.csv", predictions.csv());
      text_ += base::format_count(static_cast<std::int64_t>(predictions.values.size())) +
               " predictions in " + (common_.out / "predictions.csv").string() + "\n";
    } else if (!predictions.rows.y) {
      summary_["predictions"] = predictions.values;
      text_ += predictions.csv();
    }
    if (outside > 0)
      text_ += "note: " + base::counted(outside, "row lies", "rows lie") +
               " outside the interval of the fit, where its end pieces continue\n";
  }

  void add_errors(const Predictions::Errors& errors) {
    summary_["mse"] = errors.mse;
    summary_["max_error"] = errors.max_error;
    summary_["r2"] = errors.r2;
    text_ += "mse " + base::format_significant(errors.mse) + ", max error " +
             base::format_significant(errors.max_error) + ", R² " +
             base::format_fixed(errors.r2, 4) + " on " +
             base::counted(summary_["rows"].get<std::int64_t>(), "row") + "\n";
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  std::vector<double> x_;
  TargetFlags target_;
  bool no_target_ = false;
  region::StoredNetwork stored_;
  io::Json summary_;
  std::string text_;
};

}  // namespace

std::unique_ptr<cli::Command> eval_command() { return std::make_unique<EvalCommand>(); }

}  // namespace asap::relu_fit
