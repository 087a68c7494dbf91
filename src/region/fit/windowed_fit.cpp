#include "region/fit/windowed_fit.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "region/family/linear_part.h"
#include "region/family/spline.h"
#include "region/fit/guide_samples.h"
#include "region/fit/unit_scaling.h"

namespace asap::region {
namespace {

/// Several samples per piece.
int sample_count(double pieces) {
  return static_cast<int>(std::clamp(16 * pieces, double{kDensePoints}, 2e6));
}

/// The curve with second derivative max(f'', 0) on a grid; value and slope are 0 at the left end.
CubicSpline convex_part(const numerics::Curve& f) {
  constexpr int kCells = 4096;
  std::vector<double> x, y, values;
  for (int i = 0; i <= kCells; ++i) {
    x.push_back(static_cast<double>(i) / kCells);
    values.push_back(f(x.back()));
  }
  double slope = 0, value = 0;
  for (int i = 0; i <= kCells; ++i) {
    y.push_back(value);
    if (i > 0 && i < kCells) slope += std::max(0.0, values[i + 1] - 2 * values[i] + values[i - 1]);
    value += slope;
  }
  return {x, y};
}

}  // namespace

Fit windowed_fit(const Target& target, int depth, int fold, int windows) {
  check_size(depth, fold, windows);
  const UnitScaling scaling(target);
  const Target unit = scaling.scaled(target);
  FoldedFunction function = curvature_folding(unit.curve, unit.interval, depth, fold, windows);
  fit_linear_part(function,
                  unit.noise_variance > 0
                      ? unit.samples
                      : guide_samples(unit, sample_count(windows * std::pow(fold, depth))));
  function = scaling.unscaled(std::move(function));
  Fit fit;
  fit.network = to_network(function, Ends::continued);
  fit.folded = std::move(function);
  fit.description = base::counted(windows, "window") + ", folded by curvature";
  return fit;
}

Fit difference_fit(const Target& target, const FitOptions& options) {
  const UnitScaling scaling(target);
  const Target unit = scaling.scaled(target);
  const CubicSpline convex = convex_part(unit.curve);
  Target rising = unit, falling = unit;
  rising.curve = convex;
  falling.curve = [convex, f = unit.curve](double u) { return convex(u) - f(u); };
  rising.truth = falling.truth = {};
  for (std::int64_t i = 0; i < unit.samples.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    // The part that is subtracted takes the noise.
    rising.samples.y[at] = convex(unit.samples.x[at]);
    falling.samples.y[at] = rising.samples.y[at] - unit.samples.y[at];
  }
  rising.noise_variance = 0;
  FitOptions half = options;
  half.progress = [&](double part) {
    if (options.progress) options.progress(0.5 * part);
  };
  const Fit first = fit_network(rising, half);
  half.progress = [&](double part) {
    if (options.progress) options.progress(0.5 + 0.5 * part);
  };
  const Fit second = fit_network(falling, half);
  Fit fit;
  fit.network = scaling.unscaled(difference(first.network, second.network));
  fit.description = "difference of two convex networks, " + second.description;
  return fit;
}

}  // namespace asap::region
