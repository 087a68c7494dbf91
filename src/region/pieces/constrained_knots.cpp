#include "region/pieces/constrained_knots.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/error.h"
#include "region/pieces/cell_units.h"
#include "region/pieces/constrained_refiner.h"
#include "region/pieces/knot_edits.h"
#include "region/pieces/piece_sums.h"

namespace asap::region {
namespace {

constexpr int kConstrainedFirst = 8;
constexpr int kConstrainedIterations = 60;
constexpr int kConstrainedFinal = 10;  // on very many points
constexpr std::size_t kCuts = 8;       // pieces that are cut for a start
constexpr std::size_t kRefined = 2;    // starts that are refined in full
constexpr int kGrid = 24;  // places of a knot where no other start meets the constraints

class ConstrainedSearch {
 public:
  /// Everything in units of range one; the function reaches from low to high.
  ConstrainedSearch(Cells cells, PiecesConstraints constraints, double low, double high)
      : cells_(std::move(cells)), constraints_(std::move(constraints)), low_(low), high_(high) {
    const auto add = [&](double x) {
      if (x > low_ && x < high_) special_.push_back(x);
    };
    for (const auto& [x, y] : constraints_.through) add(x);
    for (const ShapeConstraint& shape : constraints_.shapes) {
      add(shape.low);
      add(shape.high);
    }
    std::sort(special_.begin(), special_.end());
    special_.erase(std::unique(special_.begin(), special_.end()), special_.end());
  }

  /// Whether any function meets the constraints: then the straight lines between its values at the
  /// special places and the ends do, too.
  bool can_be_met() const {
    const PiecewiseLinear line = with_knots(special_);
    const auto count = static_cast<std::int64_t>(line.y.size());
    tensor::Tensor<double> identity({count, count});
    for (std::int64_t i = 0; i < count; ++i) identity[i * count + i] = 1;
    const std::vector<double> nothing(line.y.size(), 0.0);
    return numerics::solve_quadratic_program(identity.rows(), nothing,
                                             linearised(constraints_, line, false, 0))
        .has_value();
  }

  /// `enough` sees every fit.
  void run(int pieces, const EnoughPieces& enough) const {
    const std::vector<PiecewiseFit> unconstrained = free_knots(cells_, pieces);
    std::vector<PiecewiseFit> fits;
    for (int p = 1; p <= pieces; ++p) {
      std::vector<PiecewiseLinear> starts;
      if (p <= static_cast<int>(unconstrained.size()))
        starts.push_back(
            reaching(unconstrained[static_cast<std::size_t>(p) - 1].function, low_, high_));
      if (!fits.empty())
        for (PiecewiseLinear& cut : cuts(fits.back().function)) starts.push_back(std::move(cut));
      if (static_cast<int>(special_.size()) < p) starts.push_back(filled_up(special_, p));
      std::optional<PiecewiseFit> best = best_of(starts);
      if (!best) best = best_of(grid(p));
      if (!best) continue;
      for (int tries = 0; p > 2 && tries < 2; ++tries) {
        std::optional<PiecewiseFit> moved = best_of(cuts(without_idle_knot(best->function)));
        if (!moved || !(moved->mse < (1 - 1e-4) * best->mse)) break;
        best = std::move(moved);
      }
      if (!fits.empty() && fits.back().mse < best->mse) best->mse = fits.back().mse;  // rounding
      fits.push_back(std::move(*best));
      if (enough(fits) || fits.back().mse <= kExactError) return;
    }
  }

 private:
  PiecewiseLinear with_knots(const std::vector<double>& inner) const {
    PiecewiseLinear line{{low_}, {}};
    line.x.insert(line.x.end(), inner.begin(), inner.end());
    line.x.push_back(high_);
    line.y.assign(line.x.size(), 0.0);
    return line;
  }

  /// Of the starts that can meet the constraints the best, refined.
  std::optional<PiecewiseFit> best_of(const std::vector<PiecewiseLinear>& starts) const {
    std::vector<PiecewiseFit> fits;
    for (const PiecewiseLinear& start : starts)
      if (auto fit = fit_constrained_values(cells_, constraints_, start))
        fits.push_back(
            refine_constrained(cells_, constraints_, std::move(*fit), kConstrainedFirst));
    if (fits.empty()) return std::nullopt;
    std::stable_sort(fits.begin(), fits.end(),
                     [](const PiecewiseFit& a, const PiecewiseFit& b) { return a.mse < b.mse; });
    if (fits.size() > kRefined) fits.resize(kRefined);
    for (PiecewiseFit& fit : fits)
      fit = refine_constrained(cells_, constraints_, std::move(fit), kConstrainedIterations);
    return std::move(*std::min_element(
        fits.begin(), fits.end(),
        [](const PiecewiseFit& a, const PiecewiseFit& b) { return a.mse < b.mse; }));
  }

  /// The function with one of its worst pieces halved.
  std::vector<PiecewiseLinear> cuts(const PiecewiseLinear& line) const {
    const std::vector<PieceSums> sums = piece_sums(cells_, line);
    std::vector<std::size_t> order(sums.size());
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return sums[a].cost > sums[b].cost; });
    if (order.size() > kCuts) order.resize(kCuts);
    std::vector<PiecewiseLinear> all;
    for (const std::size_t k : order) {
      // A short piece has no room for two.
      if (line.x[k + 1] - line.x[k] < 1e-4) continue;
      for (const double part : {0.3, 0.7}) {
        const double place = line.x[k] + part * (line.x[k + 1] - line.x[k]);
        all.push_back(with_knot(line, k, place));
      }
    }
    return all;
  }

  /// The longest pieces are halved until there are `pieces`.
  PiecewiseLinear filled_up(std::vector<double> inner, int pieces) const {
    PiecewiseLinear line = with_knots(inner);
    while (line.pieces() < pieces) {
      std::size_t longest = 0;
      for (std::size_t k = 0; k + 1 < line.x.size(); ++k)
        if (line.x[k + 1] - line.x[k] > line.x[longest + 1] - line.x[longest]) longest = k;
      line.x.insert(line.x.begin() + static_cast<std::ptrdiff_t>(longest) + 1,
                    0.5 * (line.x[longest] + line.x[longest + 1]));
      line.y.push_back(0);
    }
    return line;
  }

  /// One and two inner knots on a grid.
  std::vector<PiecewiseLinear> grid(int pieces) const {
    std::vector<PiecewiseLinear> all;
    const auto at = [&](int i) { return low_ + (high_ - low_) * (i + 1) / (kGrid + 1); };
    for (int i = 0; i < kGrid && (pieces == 2 || pieces == 3); ++i) {
      if (pieces == 2) all.push_back(with_knots({at(i)}));
      for (int j = i + 1; j < kGrid && pieces == 3; ++j) all.push_back(with_knots({at(i), at(j)}));
    }
    return all;
  }

  Cells cells_;
  PiecesConstraints constraints_;
  double low_, high_;
  std::vector<double> special_;  // places where a function may have to bend
};

/// Ends of cells and forced points together.
std::pair<double, double> reach_of(const Cells& cells, const PiecesConstraints& constraints) {
  double low = cells.front().left, high = cells.back().right;
  if (!constraints.through.empty()) {
    low = std::min(low, constraints.through.front().first);
    high = std::max(high, constraints.through.back().first);
  }
  return {low, high};
}

}  // namespace

std::vector<PiecewiseFit> constrained_knots(const Cells& cells,
                                            const PiecesConstraints& constraints, int pieces,
                                            const EnoughPieces& enough) {
  base::check(pieces <= kMostSearchedPieces, "constrained_knots: too many pieces");
  const CellUnits units(cells);
  const std::pair<double, double> reach = reach_of(cells, constraints);
  const double low = reach.first, high = reach.second;
  const ConstrainedSearch search(units.scaled(cells),
                                 constraints.scaled(units.x, units.length, units.y, units.range),
                                 (low - units.x) / units.length, (high - units.x) / units.length);
  if (!search.can_be_met())
    throw base::UsageError(constraints.fields() + ": no continuous function meets all of this",
                           "leave one out, or widen it");
  std::vector<PiecewiseFit> fits;
  search.run(pieces, [&](const std::vector<PiecewiseFit>& found) {
    fits.push_back(units.unscaled(found.back(), low, high));
    return enough && enough(fits);
  });
  if (fits.empty())
    throw base::UsageError("no function of " + base::counted(pieces, "straight piece") +
                               " or fewer was found that meets " + constraints.fields(),
                           "allow more `pieces`");
  return fits;
}

PiecewiseFit constrained_on_points(const PiecewiseLinear& function, const Samples& samples,
                                   const PiecesConstraints& constraints) {
  const Cells cells = cells_of(samples, kRefinedCells);
  const CellUnits units(cells);
  const Cells unit = units.scaled(cells);
  const PiecesConstraints scaled = constraints.scaled(units.x, units.length, units.y, units.range);
  const auto start = fit_constrained_values(unit, scaled, units.scaled(function));
  base::check(start.has_value(), "constrained_on_points: the function breaks its constraints");
  const double low = function.x.front(), high = function.x.back();
  return units.unscaled(refine_constrained(unit, scaled, *start, kConstrainedFinal), low, high);
}

}  // namespace asap::region
