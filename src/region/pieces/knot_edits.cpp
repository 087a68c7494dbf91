#include "region/pieces/knot_edits.h"

#include <limits>

namespace asap::region {

PiecewiseLinear with_knot(PiecewiseLinear line, std::size_t piece, double place) {
  const auto at = static_cast<std::ptrdiff_t>(piece) + 1;
  const double value = line(place);
  line.x.insert(line.x.begin() + at, place);
  line.y.insert(line.y.begin() + at, value);
  return line;
}

PiecewiseLinear without_idle_knot(PiecewiseLinear line) {
  std::ptrdiff_t idle = 1;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 1; k + 1 < line.x.size(); ++k) {
    const double left = line.x[k] - line.x[k - 1], right = line.x[k + 1] - line.x[k];
    const auto piece = static_cast<std::int64_t>(k);
    const double corner = (line.slope(piece) - line.slope(piece - 1)) * left * right;
    const double missed = corner * corner / (left + right);
    if (missed >= least) continue;
    least = missed;
    idle = static_cast<std::ptrdiff_t>(k);
  }
  line.x.erase(line.x.begin() + idle);
  line.y.erase(line.y.begin() + idle);
  return line;
}

PiecewiseLinear reaching(PiecewiseLinear line, double low, double high) {
  const double first = line(low), last = line(high);
  line.x.front() = low;
  line.x.back() = high;
  line.y.front() = first;
  line.y.back() = last;
  return line;
}

}  // namespace asap::region
