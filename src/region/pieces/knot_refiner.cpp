#include "region/pieces/knot_refiner.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "region/pieces/damping.h"
#include "region/pieces/piece_sums.h"

namespace asap::region {
namespace {

/// The equations of one knot: unknowns are its move and the change of its value.
struct KnotEquations {
  double a00 = 0, a01 = 0, a11 = 0;           ///< symmetric
  double b00 = 0, b01 = 0, b10 = 0, b11 = 0;  ///< with the next knot
  double g0 = 0, g1 = 0;                      ///< gradient
};

class Refiner {
 public:
  Refiner(const Cells& cells, PiecewiseLinear start)
      : cells_(cells), total_(total_weight(cells)), now_(std::move(start)) {
    cost_ = measure(now_, sums_);
  }

  void run(int iterations) {
    Damping damping;
    for (int i = 0; i < iterations && !damping.ends(); ++i) {
      PiecewiseLinear trial = now_;
      if (!step(damping.value(), true, trial)) break;
      std::vector<PieceSums> sums;
      const double cost = measure(trial, sums);
      if (cost < cost_) {
        damping.helped(cost_, cost);
        now_ = std::move(trial);
        sums_ = std::move(sums);
        cost_ = cost;
      } else {
        damping.failed();
      }
    }
  }

  void solve_values() {
    for (int round = 0; round < 3; ++round) {
      PiecewiseLinear trial = now_;
      if (!step(1e-14, false, trial)) return;
      std::vector<PieceSums> sums;
      const double cost = measure(trial, sums);
      if (!(cost < cost_)) return;
      now_ = std::move(trial);
      sums_ = std::move(sums);
      cost_ = cost;
    }
  }

  PiecewiseFit result() && { return {std::move(now_), cost_ / total_}; }

 private:
  double measure(const PiecewiseLinear& line, std::vector<PieceSums>& sums) const {
    sums = piece_sums(cells_, line);
    return total_cost(sums);
  }

  std::vector<KnotEquations> equations(double damping, bool move_knots) const {
    const std::size_t pieces = sums_.size();
    std::vector<KnotEquations> all(pieces + 1);
    for (std::size_t k = 0; k < pieces; ++k) {
      const PieceSums& piece = sums_[k];
      const double slope = now_.slope(k);
      KnotEquations &left = all[k], &right = all[k + 1];
      left.a00 += piece.product00 * slope * slope;
      left.a01 -= piece.product00 * slope;
      left.a11 += piece.product00;
      right.a00 += piece.product11 * slope * slope;
      right.a01 -= piece.product11 * slope;
      right.a11 += piece.product11;
      left.b00 = piece.product01 * slope * slope;
      left.b01 = left.b10 = -piece.product01 * slope;
      left.b11 = piece.product01;
      left.g0 -= slope * piece.residual0;
      left.g1 += piece.residual0;
      right.g0 -= slope * piece.residual1;
      right.g1 += piece.residual1;
    }
    const double least = 1e-15 * total_ / static_cast<double>(pieces);
    for (std::size_t k = 0; k <= pieces; ++k) {
      KnotEquations& knot = all[k];
      knot.a00 += damping * knot.a00 + least;
      knot.a11 += damping * knot.a11 + least;
      if (move_knots && k > 0 && k < pieces) continue;
      knot.a00 = 1;
      knot.a01 = knot.g0 = knot.b00 = knot.b01 = 0;
      if (k > 0) all[k - 1].b00 = all[k - 1].b10 = 0;
    }
    return all;
  }

  /// Subtracts the damped step from `trial`; false when the equations cannot be solved.
  bool step(double damping, bool move_knots, PiecewiseLinear& trial) const {
    std::vector<KnotEquations> all = equations(damping, move_knots);
    const std::size_t last = all.size() - 1;
    // Block elimination from the left, then substitution from the right.
    for (std::size_t k = 0; k <= last; ++k) {
      KnotEquations& e = all[k];
      const double determinant = e.a00 * e.a11 - e.a01 * e.a01;
      if (!(determinant > 0) || !std::isfinite(determinant)) return false;
      if (k == last) break;
      const auto solve = [&](double right0, double right1) {
        return std::array<double, 2>{(e.a11 * right0 - e.a01 * right1) / determinant,
                                     (e.a00 * right1 - e.a01 * right0) / determinant};
      };
      const auto by0 = solve(e.b00, e.b10), by1 = solve(e.b01, e.b11), g = solve(e.g0, e.g1);
      KnotEquations& f = all[k + 1];
      f.a00 -= e.b00 * by0[0] + e.b10 * by0[1];
      f.a01 -= e.b00 * by1[0] + e.b10 * by1[1];
      f.a11 -= e.b01 * by1[0] + e.b11 * by1[1];
      f.g0 -= e.b00 * g[0] + e.b10 * g[1];
      f.g1 -= e.b01 * g[0] + e.b11 * g[1];
    }
    double move = 0, change = 0;
    for (std::size_t k = last + 1; k-- > 0;) {
      const KnotEquations& e = all[k];
      const double right0 = e.g0 - (k < last ? e.b00 * move + e.b01 * change : 0);
      const double right1 = e.g1 - (k < last ? e.b10 * move + e.b11 * change : 0);
      const double determinant = e.a00 * e.a11 - e.a01 * e.a01;
      move = (e.a11 * right0 - e.a01 * right1) / determinant;
      change = (e.a00 * right1 - e.a01 * right0) / determinant;
      if (!std::isfinite(move) || !std::isfinite(change)) return false;
      if (move_knots && k > 0 && k < last) trial.x[k] -= move;
      trial.y[k] -= change;
    }
    keep_order(trial.x);
    return true;
  }

  /// Knots ascend with room between them for float64.
  static void keep_order(std::vector<double>& knots) {
    const std::size_t last = knots.size() - 1;
    const double low = knots.front(), high = knots.back();
    const double gap = 1e-9 * (high - low) / static_cast<double>(last);
    std::sort(knots.begin() + 1, knots.end() - 1);
    for (std::size_t k = 1; k < last; ++k)
      knots[k] =
          std::clamp(knots[k], knots[k - 1] + gap, high - gap * static_cast<double>(last - k));
    knots.front() = low;
  }

  const Cells& cells_;
  double total_;
  PiecewiseLinear now_;
  std::vector<PieceSums> sums_;  // at now_
  double cost_ = 0;
};

}  // namespace

PiecewiseFit fit_values(const Cells& cells, PiecewiseLinear start) {
  Refiner refiner(cells, std::move(start));
  refiner.solve_values();
  return std::move(refiner).result();
}

PiecewiseFit refine_knots(const Cells& cells, const PiecewiseLinear& start, int iterations) {
  Refiner refiner(cells, start);
  refiner.run(iterations);
  return std::move(refiner).result();
}

}  // namespace asap::region
