#pragma once

#include <filesystem>
#include <optional>

#include "io/json.h"
#include "region/ridge/baselines.h"
#include "region/run/fit_config.h"
#include "region/target/rows.h"

namespace asap::region {

/// Activation regions on segments between pairs of test rows.
struct SegmentRegions {
  double mean = 0;
  std::int64_t least = 0, most = 0;
};

/// One method on the rows of a run; errors are in the target's units.
struct MethodResult {
  MethodFit fit;                                  ///< on standardised rows
  double training = 0, validation = 0, test = 0;  ///< mean squared errors
  double explained = 0;                           ///< 1 - test error / variance of the test target
  std::optional<SegmentRegions> regions;          ///< none for Kolmogorov-Arnold networks
  double seconds = 0;
};

/// A finished fit of several inputs.
struct RidgeRun {
  FitConfig config;
  NamedRows training;
  Rows validation, test;
  Standardisation scales;  ///< of the training rows
  ReluNetwork network;     ///< in the units of the rows
  RidgeFit ridge;          ///< in standardised units
  double folded_test = 0;  ///< test error of the folded ridges, before the raw weights were fitted
  SegmentRegions folded_regions;
  std::vector<MethodResult> results;  ///< the fit of ridges first, then the baselines
};

/// Samples the function, or reads and splits the rows of a file; fits, compares if configured, and
/// measures. Training, validation and test rows are disjoint; only the test rows measure.
/// `progress` receives the fraction done, in [0, 1].
RidgeRun run_ridge_fit(const FitConfig& config, int threads,
                       const std::function<void(double)>& progress);

/// Writes network.safetensors, network.json, NAME.h, fit.csv (test rows), fit.svg and fit.png, and
/// for two inputs regions.svg, into an existing folder. Returns notes for the user.
std::vector<std::string> write_ridge_fit(const RidgeRun& run, const std::filesystem::path& folder);

io::Json ridge_fit_summary(const RidgeRun& run);
/// The result as readable text.
std::string ridge_fit_text(const RidgeRun& run);

}  // namespace asap::region
