#pragma once

#include <filesystem>

#include "io/json.h"
#include "region/family/floor.h"
#include "region/fit/tolerance.h"
#include "region/network/region_count.h"
#include "region/run/fit_config.h"

namespace asap::region {

/// Errors, regions and shape of a network on a target.
struct FitMeasures {
  double mse = 0;        ///< at the points, weighted
  double max_error = 0;  ///< of a function on the dense grid, otherwise at the points
  double r_squared = 0;  ///< 1 - mse / variance of y, weighted, at the points; 1 when both are zero
  double dense_mse = 0;  ///< on the dense grid, against the function; of points, their guide
  RegionCount regions;
  FunctionShape shape;
  FreeKnotFloor floor;  ///< least mse of as many pieces as the network has linear regions, of the
                        ///< function where it is known, otherwise at the points
};
/// `floor`: that of the network's linear regions, where it is known.
FitMeasures measure_fit(const Target& target, const ReluNetwork& network,
                        const std::optional<double>& floor = {});

/// A finished fit of one input.
struct FitRun {
  FitConfig config;
  Target target;
  Fit fit;
  std::vector<ToleranceTrial> trials;
  double tolerance_bound = 0;           ///< proven largest error of a fit with `tolerance`
  int fewest_pieces = 0;                ///< see ToleranceResult
  std::vector<PiecesTrial> pieces;      ///< that were tried, of a fit of straight pieces
  std::vector<PiecewiseLinear> parts;   ///< of straight pieces, between jumps
  std::optional<PieceErrors> errors;    ///< of their slopes and knots
  std::optional<KeptConstraints> kept;  ///< of a fit with constraints
  FitMeasures measures;
  double seconds = 0;  ///< spent on fitting, without measuring and drawing
};

/// Loads or samples the target, fits and measures. `progress` receives the fraction done, in [0,
/// 1].
FitRun run_fit(const FitConfig& config, int threads, const std::function<void(double)>& progress);

/// The same on points in memory, in any order, which config.data names.
FitRun run_fit(const FitConfig& config, Samples points, int threads,
               const std::function<void(double)>& progress);

/// Writes network.safetensors, network.json, NAME.h, fit.csv, fit.svg and fit.png into an existing
/// folder. Returns notes for the user (no gnuplot: no pictures).
std::vector<std::string> write_fit(const FitRun& run, const std::filesystem::path& folder);

io::Json fit_summary(const FitRun& run);
/// The result and its notes as readable text.
std::string fit_text(const FitRun& run);

}  // namespace asap::region
