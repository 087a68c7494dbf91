#include "region/pieces/even_knots.h"

#include <algorithm>
#include <cmath>

#include "region/pieces/cell_units.h"

namespace asap::region {
namespace {

/// [pieces + 1], from the first to the last x.
std::vector<double> even_shares(const std::vector<double>& x, int pieces) {
  std::vector<double> knots;
  const auto last = static_cast<double>(x.size() - 1);
  for (int k = 0; k <= pieces; ++k) {
    const double place = last * k / pieces;
    const auto left = std::min(static_cast<std::size_t>(place), x.size() - 2);
    const double part = place - static_cast<double>(left);
    knots.push_back(x[left] * (1 - part) + x[left + 1] * part);
  }
  return knots;
}

}  // namespace

std::vector<PiecewiseFit> even_knots(const Samples& samples, int pieces,
                                     const EnoughPieces& enough) {
  const Cells original = cells_of(samples, kRefinedCells);
  const CellUnits units(original);
  const Cells cells = units.scaled(original);
  std::vector<PiecewiseFit> fits;
  const int most = std::min<int>(pieces, static_cast<int>(samples.size()) - 1);
  for (int p = 1; p <= most; p = std::max(p + 1, static_cast<int>(std::lround(1.1 * p)))) {
    PiecewiseLinear start{even_shares(samples.x, p), {}};
    start.y.assign(start.x.size(), units.y);
    PiecewiseFit fit = fit_values(cells, units.scaled(start));
    const bool exact = fit.mse <= kExactError;
    fits.push_back(units.unscaled(std::move(fit), original));
    if ((enough && enough(fits)) || exact) break;
  }
  return fits;
}

}  // namespace asap::region
