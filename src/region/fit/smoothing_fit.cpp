#include "region/fit/smoothing_fit.h"

#include <algorithm>
#include <cmath>

#include "region/fit/cross_validation.h"
#include "region/pieces/smoothing_lines.h"

namespace asap::region {
namespace {

/// How far simplified lines move, as a share of the root mean square error at points left out. A
/// tenth and three tenths give the same errors within one per cent on series and noise of many
/// kinds, and one and a half times as many and two thirds of the pieces.
constexpr double kMove = 0.2;

}  // namespace

PiecewiseLinear smoothed_like(const SmoothingFit& fit, const Samples& samples) {
  const PiecewiseLinear line = SmoothingLines(samples).line(fit.smoothing);
  return fit.move > 0 ? simplified(line, fit.move) : line;
}

std::vector<SmoothingFit> smoothing_fits(const Samples& samples) {
  std::vector<SmoothingFit> fits;
  for (const Penalty penalty : {Penalty::slopes, Penalty::bends}) {
    const std::vector<Smoothing> all = all_smoothings(penalty);
    const std::vector<double> errors = cross_validated(samples, [&](const Samples& points) {
      const SmoothingLines problem(points);
      std::vector<PiecewiseLinear> lines;
      for (const Smoothing& smoothing : all) lines.push_back(problem.line(smoothing));
      return lines;
    });
    if (errors.empty()) return {};
    const auto least = std::min_element(errors.begin(), errors.end());
    SmoothingFit fit{
        all[static_cast<std::size_t>(least - errors.begin())], kMove * std::sqrt(*least), {}};
    fit.function = smoothed_like(fit, samples);
    fit.error = cross_validated(samples, [&](const Samples& points) {
                  return std::vector<PiecewiseLinear>{smoothed_like(fit, points)};
                }).front();
    fits.push_back(std::move(fit));
  }
  return fits;
}

}  // namespace asap::region
