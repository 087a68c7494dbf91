#include "asap_eval/matcher_tables.h"

#include <cmath>
#include <filesystem>

#include "base/format.h"
#include "base/text.h"
#include "base/text_table.h"
#include "config/changed_fields.h"
#include "config/run_folder.h"

namespace asap::asap_eval {
namespace {

using evaluate::MatchedFile;
using evaluate::MatchingRow;

using config::path_option;

/// Comparable in every method, so that columns of a file without truth show "-".
double or_unknown(double value, const MatchingRow& row) {
  return row.counts.truth > 0 ? value : std::nan("");
}

}  // namespace

std::string table_of(const std::vector<MatchedFile>& files) {
  base::Table table({{"pairs", base::Table::Align::left},
                     {"method", base::Table::Align::left},
                     {"precision"},
                     {"recall"},
                     {"F1"},
                     {"same"},
                     {"plan L1"},
                     {"column error"},
                     {"kept/row"},
                     {"dropped"},
                     {"layer ms"},
                     {"ms/pair"}});
  for (const MatchedFile& file : files)
    for (const MatchingRow& row : file.rows)
      table.add_row(
          {std::filesystem::path(file.file).stem().string(), row.method,
           base::format_fixed(or_unknown(row.counts.precision(), row), 3),
           base::format_fixed(or_unknown(row.counts.recall(), row), 3),
           base::format_fixed(or_unknown(row.counts.f1(), row), 3), base::format_fixed(row.same, 3),
           base::format_fixed(row.plan_l1, 4), base::format_fixed(row.column_error, 4),
           base::format_fixed(row.entries_per_row, 1), base::format_fixed(row.dropped_mass, 5),
           base::format_fixed(row.layer_milliseconds, 2), base::format_fixed(row.milliseconds, 1)});
  return table.text();
}

io::Json json_of(const MatchingRow& row) {
  const bool judged = row.counts.truth > 0;
  io::Json json = {{"method", row.method},
                   {"same", row.same},
                   {"milliseconds", row.milliseconds},
                   {"precision", judged ? io::Json(row.counts.precision()) : io::Json()},
                   {"recall", judged ? io::Json(row.counts.recall()) : io::Json()},
                   {"f1", judged ? io::Json(row.counts.f1()) : io::Json()}};
  const auto put = [&](const char* name, double value) {
    json[name] = std::isnan(value) ? io::Json() : io::Json(value);
  };
  put("plan_l1", row.plan_l1);
  put("layer_milliseconds", row.layer_milliseconds);
  put("column_error", row.column_error);
  if (std::isnan(row.entries_per_row)) return json;
  put("entries_per_row", row.entries_per_row);
  put("dropped_mass", row.dropped_mass);
  put("polish_iterations", row.polish_iterations);
  json["not_polished"] = row.not_polished;
  return json;
}

std::string csv_of(const std::vector<MatchedFile>& files) {
  std::string text =
      "pairs,method,precision,recall,f1,same,plan_l1,milliseconds,layer_milliseconds,"
      "column_error,entries_per_row,dropped_mass,polish_iterations\n";
  const auto cell = [](double value) {
    return "," + (std::isnan(value) ? std::string() : base::format_significant(value));
  };
  for (const MatchedFile& file : files)
    for (const MatchingRow& row : file.rows)
      text += std::filesystem::path(file.file).filename().string() + "," + row.method +
              cell(or_unknown(row.counts.precision(), row)) +
              cell(or_unknown(row.counts.recall(), row)) + cell(or_unknown(row.counts.f1(), row)) +
              cell(row.same) + cell(row.plan_l1) + cell(row.milliseconds) +
              cell(row.layer_milliseconds) + cell(row.column_error) + cell(row.entries_per_row) +
              cell(row.dropped_mass) + cell(row.polish_iterations) + "\n";
  return text;
}

std::vector<std::string> commands_of(const MatcherCompareOptions& options,
                                     const std::optional<compile::TransportArtefact>& artefact) {
  const std::string run = path_option("--run", options.run);
  std::vector<std::string> commands = {
      "asap-train" + path_option("--config", config::RunFolder(options.run).config()) +
      path_option("--out", options.run)};
  std::string compare = "asap-eval compare" + run;
  if (artefact) {
    commands.push_back("asap-compile" + run + path_option("--pairs", artefact->calibration_source) +
                       " --calibration " + std::to_string(artefact->calibration_pairs) +
                       " --iterations " + std::to_string(artefact->teacher_iterations) +
                       path_option("--out", options.compiled));
    compare += path_option("--compiled", options.compiled);
  }
  if (!options.pairs.empty()) compare += path_option("--pairs", options.pairs);
  for (const std::filesystem::path& other : options.others) compare += path_option("--also", other);
  if (!options.methods.empty()) compare += " --methods " + base::join(options.methods, ",");
  if (options.threshold) compare += " --threshold " + base::format_number(*options.threshold);
  if (!options.calibration.empty()) compare += path_option("--calibration", options.calibration);
  if (options.iterations) compare += " --iterations " + std::to_string(*options.iterations);
  if (options.examples) compare += " --examples " + std::to_string(*options.examples);
  commands.push_back(compare + " --out DIR");
  return commands;
}

}  // namespace asap::asap_eval
