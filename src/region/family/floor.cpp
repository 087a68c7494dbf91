#include "region/family/floor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/counted.h"
#include "base/error.h"
#include "region/pieces/free_knots.h"

namespace asap::region {
namespace {

void check_pieces(int pieces) {
  if (pieces < 1)
    throw base::UsageError("a floor of " + base::counted(pieces, "piece") +
                           ": at least one is needed");
}

/// (integral |f''|^0.4)^5 / (720 pieces^4 length) by second differences.
double asymptotic_floor(const numerics::Curve& f, numerics::Interval interval, int pieces) {
  constexpr int kCells = 4096;
  const double step = interval.length() / kCells;
  double integral = 0;
  for (int i = 1; i < kCells; ++i) {
    const double x = interval.low + step * i;
    integral +=
        std::pow(std::abs(f(x - step) - 2 * f(x) + f(x + step)) / (step * step), 0.4) * step;
  }
  integral *= kCells / (kCells - 1.0);
  return std::pow(integral, 5) / (720 * std::pow(pieces, 4) * interval.length());
}

}  // namespace

FreeKnotFloor free_knot_floor(const numerics::Curve& f, numerics::Interval interval, int pieces) {
  check_pieces(pieces);
  FreeKnotFloor floor;
  floor.refined = floor.asymptotic = asymptotic_floor(f, interval, pieces);
  if (pieces > kMostPieces) return floor;
  const PiecewiseFit best =
      best_piecewise(cells_of(f, interval, std::max(512, 8 * pieces)), pieces);
  floor.refined = best.mse;
  floor.knots = best.function.x;
  return floor;
}

FreeKnotFloor free_knot_floor(const Samples& samples, int pieces) {
  check_pieces(pieces);
  FreeKnotFloor floor;
  floor.asymptotic = std::numeric_limits<double>::quiet_NaN();
  if (samples.size() <= pieces + 1) {  // a piece between any two points
    floor.knots = samples.x;
    return floor;
  }
  const PiecewiseFit best = best_piecewise(samples, std::min(pieces, kMostPieces));
  floor.refined = best.mse;
  floor.knots = best.function.x;
  return floor;
}

}  // namespace asap::region
