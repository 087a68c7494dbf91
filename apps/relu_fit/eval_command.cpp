#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "region/network/network_file.h"
#include "region/ridge/baselines.h"
#include "region/run/fit_run.h"
#include "region/target/rows.h"
#include "relu_fit/commands.h"
#include "relu_fit/network_flag.h"
#include "relu_fit/target_flags.h"

namespace asap::relu_fit {
namespace {

class EvalCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* eval = app.add_subcommand(
        "eval", "Evaluate a network at given x, or measure its errors on a function or data.");
    add_network(*eval, network_);
    eval->add_option("--x", x_, "Where to evaluate; comma-separated")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    target_.add_to(*eval, "--x-column");
    cli::add_common_options(*eval, common_, "relu-fit",
                            "relu-fit eval --network runs/exp/network.json --x 0.25,0.5");
    return eval;
  }

  void run() override {
    if (x_.empty() && !target_.given())
      throw base::UsageError("nothing to evaluate", "give --x 0.5, --function EXPR or --data FILE");
    target_.require_data_for_columns();
    const region::StoredNetwork stored = region::read_network(network_);
    cli::OutputFolder folder(common_, false);
    if (stored.network.inputs() > 1) return evaluate_several(stored, folder);
    std::vector<double> y(x_.size());
    stored.network.evaluate(x_, y);
    io::Json summary = {{"x", x_}, {"y", y}};
    std::string text;
    for (std::size_t i = 0; i < x_.size(); ++i)
      text += base::format_number(x_[i]) + "  " + base::format_number(y[i]) + "\n";
    if (target_.given()) {
      if (target_.interval.empty() && !target_.function.empty() && stored.interval)
        target_.interval = {base::format_number(stored.interval->low),
                            base::format_number(stored.interval->high)};
      const region::FitMeasures measures = region::measure_fit(target_.target(), stored.network);
      summary["mse"] = measures.mse;
      summary["dense_mse"] = measures.dense_mse;
      summary["max_error"] = measures.max_error;
      text += "mse " + base::format_significant(measures.mse) + ", dense mse " +
              base::format_significant(measures.dense_mse) + ", max error " +
              base::format_significant(measures.max_error) + "\n";
    }
    folder.finish(summary, text);
  }

 private:
  /// Evaluates at the points of --x, and measures on the rows of --data.
  void evaluate_several(const region::StoredNetwork& stored, cli::OutputFolder& folder) {
    const std::int64_t inputs = stored.network.inputs();
    if (!target_.function.empty())
      throw base::UsageError("--function is for one input",
                             "use --data with a column for the target");
    if (static_cast<std::int64_t>(x_.size()) % inputs != 0)
      throw base::UsageError("--x: " + std::to_string(x_.size()) +
                                 " numbers do not make whole points of " + std::to_string(inputs) +
                                 " inputs",
                             "give all coordinates of one point, then those of the next");
    const auto points = static_cast<std::int64_t>(x_.size()) / inputs;
    std::vector<double> y(static_cast<std::size_t>(points));
    stored.network.evaluate(tensor::MatrixView<const double>(x_.data(), points, inputs), y);
    io::Json summary = {{"x", x_}, {"y", y}};
    std::string text;
    for (const double value : y) text += base::format_number(value) + "\n";
    if (target_.columns.any())
      throw base::UsageError("`x_column`, `y_column` and `weight_column` are for one input",
                             "the columns of several inputs stand in the network's file");
    if (!target_.data.empty()) {
      if (stored.inputs.empty() || stored.target.empty())
        throw base::DataError(
            network_.string() + ": the network does not name its inputs and target",
            "fit it with --target or --inputs, which stores them");
      const region::Rows rows =
          region::read_rows(target_.data, {stored.target, stored.inputs}).rows;
      summary["rows"] = rows.size();
      summary["mse"] = region::network_error(stored.network, rows);
      text += "mse " + base::format_significant(region::network_error(stored.network, rows)) +
              " on " + base::format_count(rows.size()) + " rows\n";
    }
    folder.finish(summary, text);
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  std::vector<double> x_;
  TargetFlags target_;
};

}  // namespace

std::unique_ptr<cli::Command> eval_command() { return std::make_unique<EvalCommand>(); }

}  // namespace asap::relu_fit
