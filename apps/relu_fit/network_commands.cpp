// regions, floor, eval and export: commands on finished networks and on targets alone.
#include <array>
#include <cmath>
#include <tuple>

#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "base/text_table.h"
#include "cli/summary.h"
#include "region/network/export_c.h"
#include "region/network/export_onnx.h"
#include "region/network/network_file.h"
#include "region/network/region_map.h"
#include "region/ridge/baselines.h"
#include "region/run/fit_run.h"
#include "region/target/rows.h"
#include "relu_fit/commands.h"

namespace asap {
namespace {

void add_network(CLI::App& command, std::filesystem::path& network) {
  command.add_option("--network", network, "Network in .safetensors or .json")
      ->type_name("FILE")
      ->required();
}

/// The interval given, or the one the network was fitted on.
numerics::Interval interval_of(const TargetFlags& flags, const region::StoredNetwork& stored) {
  if (const auto bounds = flags.bounds()) {
    if (!(bounds->low < bounds->high))
      throw base::UsageError("--interval: the first number must be the smaller one");
    return *bounds;
  }
  if (!stored.interval)
    throw base::UsageError("--interval is required", "the file of the network does not name one");
  return *stored.interval;
}

class RegionsCommand : public Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* regions =
        app.add_subcommand("regions", "Count the activation and linear regions of a network.");
    add_network(*regions, network_);
    regions->add_option("--interval", flags_.interval, "Where to count (the network's own)")
        ->type_name("LO HI")
        ->expected(2);
    for (const auto& [name, end, help] :
         {std::tuple{"--from", &from_, "One end of a segment, for several inputs: 0,0"},
          std::tuple{"--to", &to_, "Its other end: 1,1"}})
      regions->add_option(name, *end, help)
          ->type_name("LIST")
          ->delimiter(',')
          ->allow_extra_args(false);
    cli::add_common_options(*regions, common_, "relu-fit",
                            "relu-fit regions --network runs/exp/network.safetensors");
    return regions;
  }

  void run() override {
    const region::StoredNetwork stored = region::read_network(network_);
    if (!from_.empty() || !to_.empty()) return count_segment(stored);
    if (stored.network.inputs() > 1) return count_map(stored);
    const numerics::Interval interval = interval_of(flags_, stored);
    report(region::count_regions(stored.network, interval),
           {{"interval", {interval.low, interval.high}}},
           "on [" + base::format_number(interval.low) + ", " + base::format_number(interval.high) +
               "]");
  }

 private:
  void count_segment(const region::StoredNetwork& stored) {
    const auto inputs = static_cast<std::size_t>(stored.network.inputs());
    for (const auto& [name, end] : {std::pair{"--from", &from_}, std::pair{"--to", &to_}})
      if (end->size() != inputs)
        throw base::UsageError(std::string(name) + ": " + std::to_string(end->size()) +
                                   " coordinates, the network reads " + std::to_string(inputs),
                               "for example --from 0,0 --to 1,1 for two inputs");
    if (from_ == to_) throw base::UsageError("--from and --to are the same point");
    report(region::count_regions(stored.network, from_, to_), {{"from", from_}, {"to", to_}},
           "along the segment");
  }

  /// In the plane, with a picture where a folder is given.
  void count_map(const region::StoredNetwork& stored) {
    if (stored.network.inputs() != 2)
      throw base::UsageError(
          "the network reads " + std::to_string(stored.network.inputs()) + " inputs",
          "count along a segment: --from 0,0,0 --to 1,1,1");
    const numerics::Interval interval = interval_of(flags_, stored);
    const region::Rectangle square{interval, interval};
    const std::vector<region::RegionPolygon> polygons =
        region::region_polygons(stored.network, square);
    const auto count = static_cast<std::int64_t>(polygons.size());
    const std::array<std::string, 2> names =
        stored.inputs.empty() ? std::array<std::string, 2>{"x1", "x2"}
                              : std::array<std::string, 2>{stored.inputs[0], stored.inputs[1]};
    const std::string text = base::format_count(count) + " activation regions on the square of [" +
                             base::format_number(interval.low) + ", " +
                             base::format_number(interval.high) + "]\n";
    if (!common_.out.empty()) {
      base::make_directories(common_.out);
      base::write_file_atomically(
          common_.out / "regions.svg",
          region::draw_regions(polygons, square, names, std::string(base::trim(text))));
    }
    finish(common_, {{"interval", {interval.low, interval.high}}, {"activation_regions", count}},
           text);
  }

  void report(const region::RegionCount& count, io::Json summary, const std::string& where) {
    const region::FunctionShape shape = region::shape_of(count);
    const io::Json counted = {{"activation_regions", count.activation_regions},
                              {"linear_regions", count.linear_regions},
                              {"breakpoints", count.breakpoints},
                              {"slopes", count.slopes},
                              {"convex", shape.convex},
                              {"concave", shape.concave},
                              {"increasing", shape.increasing},
                              {"decreasing", shape.decreasing}};
    summary.update(counted);
    finish(common_, summary,
           base::format_count(count.linear_regions) + " linear regions, " +
               base::format_count(count.activation_regions) + " activation regions " + where +
               (shape.convex ? ", convex" : "") + (shape.concave ? ", concave" : "") +
               (shape.increasing ? ", increasing" : "") + (shape.decreasing ? ", decreasing" : "") +
               "\n");
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  TargetFlags flags_;
  std::vector<double> from_, to_;
};

class FloorCommand : public Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* floor = app.add_subcommand(
        "floor", "Least error that any continuous function of so many straight pieces can have.");
    target_.add_to(*floor);
    floor->add_option("--pieces", pieces_, "Straight pieces")
        ->type_name("N")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->capture_default_str();
    cli::add_common_options(*floor, common_, "relu-fit",
                            "relu-fit floor --function x^3 --pieces 8,32");
    return floor;
  }

  void run() override {
    const region::Target target = target_.target();
    io::Json rows = io::Json::array();
    base::Table table({{"pieces"}, {"floor mse"}, {"asymptotic"}});
    for (const int pieces : pieces_) {
      const region::FreeKnotFloor floor =
          region::free_knot_floor(target.reference(), target.interval, pieces);
      rows.push_back({{"pieces", pieces},
                      {"floor_mse", floor.refined},
                      {"asymptotic_mse", floor.asymptotic},
                      {"knots", floor.knots}});
      table.add_row({base::format_count(pieces), base::format_significant(floor.refined),
                     base::format_significant(floor.asymptotic)});
    }
    finish(common_, {{"target", target.name}, {"rows", rows}}, table.text());
  }

 private:
  cli::CommonOptions common_;
  TargetFlags target_;
  std::vector<int> pieces_{32};
};

class EvalCommand : public Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* eval = app.add_subcommand(
        "eval", "Values of a network at given x, or its errors on a function or points.");
    add_network(*eval, network_);
    eval->add_option("--x", x_, "Where to evaluate, comma-separated")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    target_.add_to(*eval);
    cli::add_common_options(*eval, common_, "relu-fit",
                            "relu-fit eval --network runs/exp/network.json --x 0.25,0.5");
    return eval;
  }

  void run() override {
    if (x_.empty() && !target_.given())
      throw base::UsageError("nothing to evaluate", "--x 0.5, --function EXPR or --data FILE");
    const region::StoredNetwork stored = region::read_network(network_);
    if (stored.network.inputs() > 1) return evaluate_several(stored);
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
    finish(common_, summary, text);
  }

 private:
  /// At points given one after the other, or on the columns of a table.
  void evaluate_several(const region::StoredNetwork& stored) {
    const std::int64_t inputs = stored.network.inputs();
    if (!target_.function.empty())
      throw base::UsageError("--function is for one input", "--data with a column of targets");
    if (static_cast<std::int64_t>(x_.size()) % inputs != 0)
      throw base::UsageError("--x: " + std::to_string(x_.size()) +
                                 " numbers are no whole points of " + std::to_string(inputs) +
                                 " inputs",
                             "all coordinates of a point, then those of the next");
    const auto points = static_cast<std::int64_t>(x_.size()) / inputs;
    std::vector<double> y(static_cast<std::size_t>(points));
    stored.network.evaluate(tensor::MatrixView<const double>(x_.data(), points, inputs), y);
    io::Json summary = {{"x", x_}, {"y", y}};
    std::string text;
    for (const double value : y) text += base::format_number(value) + "\n";
    if (!target_.data.empty()) {
      if (stored.inputs.empty() || stored.target.empty())
        throw base::DataError(
            network_.string() + ": the network does not name its inputs and target",
            "relu-fit fit with --target writes them");
      const region::TableRows rows =
          region::read_table(target_.data, {stored.target, stored.inputs}).rows;
      summary["rows"] = rows.size();
      summary["mse"] = region::network_error(stored.network, rows);
      text += "mse " + base::format_significant(region::network_error(stored.network, rows)) +
              " on " + base::format_count(rows.size()) + " rows\n";
    }
    finish(common_, summary, text);
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  std::vector<double> x_;
  TargetFlags target_;
};

class ExportCommand : public Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* command = app.add_subcommand("export", "Write a network in other formats.");
    add_network(*command, network_);
    command->add_option("--formats", formats_, "Any of c, safetensors, json, onnx")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    command->add_option("--name", name_, "Function name in C, graph name in ONNX")
        ->type_name("NAME")
        ->capture_default_str();
    cli::add_common_options(
        *command, common_, "relu-fit",
        "relu-fit export --network runs/exp/network.json --formats c,onnx --out runs/code");
    return command;
  }

  void run() override {
    const std::filesystem::path& out = common_.required_out();
    const region::StoredNetwork stored = region::read_network(network_);
    std::vector<std::pair<std::string, std::string>> files;
    for (const std::string& format : formats_) files.push_back(render(stored, format));
    base::make_directories(out);
    io::Json written = io::Json::array();
    std::string text;
    for (const auto& [file, content] : files) {
      base::write_file_atomically(out / file, content);
      written.push_back(file);
      text += (out / file).string() + "\n";
    }
    cli::finish_with_summary(common_, {{"files", written}}, text);
  }

 private:
  std::pair<std::string, std::string> render(const region::StoredNetwork& stored,
                                             const std::string& format) const {
    if (format == "c")
      return {name_ + ".h", region::export_c_header(
                                stored, name_, "Network of " + network_.filename().string() + ".")};
    if (format == "safetensors")
      return {name_ + ".safetensors", io::serialise_safetensors(region::network_tensors(stored))};
    if (format == "json") return {name_ + ".json", io::format_json(region::network_json(stored))};
    if (format == "onnx") return {name_ + ".onnx", region::export_onnx(stored, name_)};
    const std::vector<std::string> known = {"c", "safetensors", "json", "onnx"};
    throw base::UsageError("unknown format '" + format + "'", base::suggestion(format, known));
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  std::vector<std::string> formats_{"c"};
  std::string name_ = "relu_fit";
};

}  // namespace

std::unique_ptr<Command> regions_command() { return std::make_unique<RegionsCommand>(); }
std::unique_ptr<Command> floor_command() { return std::make_unique<FloorCommand>(); }
std::unique_ptr<Command> eval_command() { return std::make_unique<EvalCommand>(); }
std::unique_ptr<Command> export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace asap
