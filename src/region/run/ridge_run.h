#pragma once

#include <filesystem>
#include <optional>

#include "io/json.h"
#include "region/ridge/baselines.h"
#include "region/run/fit_config.h"
#include "region/target/rows.h"

namespace asap::region {

/// Activation regions along straight ways between pairs of test rows.
struct SegmentRegions {
  double mean = 0;
  std::int64_t least = 0, most = 0;
};

/// One method on the rows of a run; errors in the target's units.
struct TableResult {
  TableFit fit;                                   ///< on standardised rows
  double training = 0, validation = 0, test = 0;  ///< mean squared errors
  double explained = 0;                           ///< 1 - test error / variance of the test target
  std::optional<SegmentRegions> regions;          ///< none for kan
  double seconds = 0;
};

/// A finished `relu-fit fit` of several inputs.
struct TableRun {
  FitConfig config;
  NamedTable columns;  ///< names; its rows are the training rows
  TableRows validation, test;
  Standardisation scales;  ///< of the training rows
  ReluNetwork network;     ///< in the units of the rows
  RidgeFit ridge;          ///< in standardised units
  double folded_test = 0;  ///< of the folded networks before their raw weights were fitted
  SegmentRegions folded_regions;
  std::vector<TableResult> results;  ///< region first
};

/// Samples the function or reads and splits the table, fits, compares where wanted and measures.
/// Training, validation and test rows are disjoint; only the test rows judge. `progress` gets the
/// part done in [0, 1].
TableRun run_table_fit(const FitConfig& config, int threads,
                       const std::function<void(double)>& progress);

/// Writes network.safetensors, network.json, NAME.h, fit.csv (test rows), fit.svg and fit.png, and
/// for two inputs regions.svg, into an existing folder. Returns notes for the user.
std::vector<std::string> write_table_fit(const TableRun& run, const std::filesystem::path& folder);

io::Json table_fit_summary(const TableRun& run);
/// The result as a readable table.
std::string table_fit_text(const TableRun& run);

}  // namespace asap::region
