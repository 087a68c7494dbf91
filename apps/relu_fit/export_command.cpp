#include <algorithm>
#include <cmath>
#include <functional>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "base/text_table.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "io/safetensors.h"
#include "region/certify/error_bounds.h"
#include "region/network/export_c.h"
#include "region/network/export_fixed_point.h"
#include "region/network/export_onnx.h"
#include "region/network/export_segments.h"
#include "region/network/network_file.h"
#include "relu_fit/commands.h"
#include "relu_fit/network_flag.h"
#include "relu_fit/target_flags.h"

namespace asap::relu_fit {
namespace {

/// One format of a network: its files, and how far what they compute may be from the network.
struct Exported {
  std::vector<std::pair<std::string, std::string>> files;
  std::optional<double> error{};
};

/// What is exported, and what the errors are measured on.
struct Source {
  region::StoredNetwork stored;
  std::string file;  ///< of the network
  std::string name;
  std::int64_t cells = 256;
  std::optional<region::PiecewiseLinear> pieces{};     ///< of one input with a known interval
  double deviation = 0;                                ///< of the network in double from its pieces
  std::optional<region::MaximumErrorBounds> bounds{};  ///< of --function

  const region::PiecewiseLinear& known_pieces() const {
    if (stored.network.inputs() > 1)
      throw base::UsageError("the network reads " +
                                 base::counted(stored.network.inputs(), "input") +
                                 "; this format is for one",
                             "use `formats` c, c-float, onnx, json or safetensors");
    if (!pieces)
      throw base::UsageError("--interval is required", "the network file does not store one");
    return *pieces;
  }

  /// The comment at the top of code.
  std::string comment(std::optional<double> error) const {
    std::string text = "Network of " + file + ".";
    if (error)
      text += " Largest error, certified on the interval: " + base::format_significant(*error) +
              " of the network" +
              (bounds ? ", " + base::format_significant(bounds->upper + *error) + " of the function"
                      : std::string()) +
              ".";
    return text;
  }
};

Exported export_c(const Source& source, region::CNumber number, const std::string& name) {
  std::optional<double> error;
  if (source.pieces)
    error = number == region::CNumber::float64
                ? source.deviation
                : region::largest_deviation(source.stored.network, *source.pieces,
                                            region::Rounding::of_float());
  return {
      {{name + ".h", region::export_c_header(source.stored, name, source.comment(error), number)}},
      error};
}

Exported export_fixed(const Source& source, int bits, const std::string& name) {
  const region::FixedPieces fixed = region::to_fixed_point(source.known_pieces(), bits);
  const double error = fixed.error + source.deviation;
  return {{{name + ".h", region::export_fixed_point(fixed, name, source.comment(error))}}, error};
}

Exported export_table(const Source& source, const std::string& name) {
  const region::PiecewiseLinear& pieces = source.known_pieces();
  const region::PiecewiseLinear table = region::lookup_pieces(pieces, source.cells);
  const double error = region::largest_difference(pieces, table) + source.deviation;
  return {{{name + ".h",
            region::export_lookup_table(pieces, source.cells, name, source.comment(error))}},
          error};
}

Exported export_segments(const Source& source) {
  const region::PiecewiseLinear& pieces = source.known_pieces();
  return {{{source.name + "_segments.csv", region::segments_csv(pieces)},
           {source.name + "_segments.json", io::format_json(region::segments_json(pieces))}},
          source.deviation};
}

Exported export_onnx(const Source& source) {
  Exported exported;
  exported.files.emplace_back(source.name + ".onnx",
                              region::export_onnx(source.stored, source.name));
  if (source.stored.interval)
    exported.files.emplace_back(source.name + ".onnx.bounds.json",
                                io::format_json(region::onnx_bounds(source.stored)));
  return exported;
}

struct Format {
  const char* name;
  std::function<Exported(const Source&)> render;
};

const std::vector<Format>& formats() {
  using enum region::CNumber;
  static const std::vector<Format> all = {
      {"c", [](const Source& s) { return export_c(s, float64, s.name); }},
      {"c-float", [](const Source& s) { return export_c(s, float32, s.name + "_float"); }},
      {"c-q15", [](const Source& s) { return export_fixed(s, 15, s.name + "_q15"); }},
      {"c-q31", [](const Source& s) { return export_fixed(s, 31, s.name + "_q31"); }},
      {"table", [](const Source& s) { return export_table(s, s.name + "_lookup"); }},
      {"segments", export_segments},
      {"onnx", export_onnx},
      {"json",
       [](const Source& s) {
         return Exported{{{s.name + ".json", io::format_json(region::network_json(s.stored))}}};
       }},
      {"safetensors", [](const Source& s) {
         return Exported{{{s.name + ".safetensors",
                           io::serialise_safetensors(region::network_tensors(s.stored))}}};
       }}};
  return all;
}

const Format& find_format(const std::string& name) {
  std::vector<std::string> known;
  for (const Format& format : formats()) {
    if (name == format.name) return format;
    known.emplace_back(format.name);
  }
  throw base::UsageError("unknown format '" + name + "'", base::suggestion(name, known));
}

class ExportCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* command = app.add_subcommand(
        "export",
        "Write a network in other formats, each with a certified error where it has one.");
    add_network(*command, network_);
    command
        ->add_option("--formats,--format", formats_,
                     "Formats to write: c, c-float, c-q15, c-q31, table, segments, onnx, json, "
                     "safetensors")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    command->add_option("--name", name_, "Function name in C, graph name in ONNX")
        ->type_name("NAME")
        ->capture_default_str();
    command->add_option("--cells", cells_, "Cells of the lookup table")
        ->type_name("N")
        ->capture_default_str();
    command
        ->add_option("--function", target_.function,
                     "Formula that the network was fitted to: certifies the error of the exported "
                     "code against it")
        ->type_name("EXPR");
    command
        ->add_option("--interval", target_.interval,
                     "Where to export pieces and certify errors (default: the network's own "
                     "interval)")
        ->type_name("LO HI")
        ->expected(2);
    cli::add_common_options(*command, common_, "relu-fit",
                            "relu-fit export --network runs/exp/network.json --formats c,table "
                            "--out runs/code");
    return command;
  }

  void run() override {
    cli::OutputFolder folder(common_);
    const std::filesystem::path& out = folder.path();
    const Source source = load();
    std::vector<Exported> exported;
    for (const std::string& format : formats_)
      exported.push_back(find_format(format).render(source));
    folder.begin();
    io::Json files = io::Json::array(), errors = io::Json::object();
    base::Table table(
        {{"file", base::Table::Align::left}, {"error of the network"}, {"of the function"}});
    for (std::size_t i = 0; i < exported.size(); ++i) {
      const std::optional<double>& error = exported[i].error;
      if (error) errors[formats_[i]] = error_json(source, *error);
      for (const auto& [file, content] : exported[i].files) {
        base::write_file_atomically(out / file, content);
        files.push_back(file);
        table.add_row({(out / file).string(), error ? base::format_significant(*error) : "-",
                       error && source.bounds
                           ? base::format_significant(source.bounds->upper + *error)
                           : "-"});
      }
    }
    folder.finish({{"files", files}, {"errors", errors}},
                  table.text() + "\nerrors: largest on the interval, certified\n");
  }

 private:
  Source load() {
    Source source{region::read_network(network_), network_.filename().string(), name_, cells_};
    if (const auto bounds = target_.bounds()) {
      region::check_interval(*bounds);
      source.stored.interval = *bounds;
    }
    if (source.stored.network.inputs() == 1 && source.stored.interval) {
      source.pieces = region::pieces_of(source.stored.network, *source.stored.interval);
      source.deviation = region::largest_deviation(source.stored.network, *source.pieces);
    }
    if (!target_.function.empty()) source.bounds = certify(source);
    return source;
  }

  region::MaximumErrorBounds certify(const Source& source) const {
    std::string formula = target_.function;
    for (const region::PaperTarget& paper : region::paper_targets())
      if (formula == paper.name) formula = paper.formula;
    const region::MaximumErrorBounds bounds =
        region::bound_maximum_error(region::Expression(formula), source.known_pieces());
    if (!std::isfinite(bounds.upper))
      throw base::NumericalError("the error of '" + formula + "' cannot be bounded",
                                 "leave --function out, or choose an --interval without its poles");
    return bounds;
  }

  static io::Json error_json(const Source& source, double error) {
    io::Json json = {{"network", error}};
    if (source.bounds) json["function"] = source.bounds->upper + error;
    return json;
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  std::vector<std::string> formats_{"c"};
  std::string name_ = "relu_fit";
  std::int64_t cells_ = 256;
  TargetFlags target_;
};

}  // namespace

std::unique_ptr<cli::Command> export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace asap::relu_fit
