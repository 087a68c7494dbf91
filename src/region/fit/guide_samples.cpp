#include "region/fit/guide_samples.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

/// Samples of the curve of which every stretch has its share of the points' weight: a gap between
/// two points counts half the weight of both.
Samples weighted_samples(const Samples& points, const numerics::Curve& curve, int count) {
  std::vector<double> mass{0};
  for (std::int64_t i = 0; i + 1 < points.size(); ++i)
    mass.push_back(mass.back() + 0.5 * (points.weight_at(i) + points.weight_at(i + 1)));
  Samples samples;
  std::size_t gap = 0;
  for (int k = 0; k < count; ++k) {
    const double wanted = mass.back() * k / (count - 1);
    while (gap + 2 < mass.size() && mass[gap + 1] < wanted) ++gap;
    const double part = std::min((wanted - mass[gap]) / (mass[gap + 1] - mass[gap]), 1.0);
    const double x = points.x[gap] + part * (points.x[gap + 1] - points.x[gap]);
    if (!samples.x.empty() && !(x > samples.x.back())) continue;
    samples.x.push_back(x);
    samples.y.push_back(curve(x));
  }
  return samples;
}

/// Whether even samples of the guide stand for the points: these are even and without weights.
bool stands_for_points(const Target& unit) {
  if (unit.truth) return true;
  const Samples& points = unit.samples;
  for (const double weight : points.weight)
    if (weight != points.weight.front()) return false;
  const double step = 1 / static_cast<double>(points.size() - 1);
  for (std::size_t i = 0; i + 1 < points.x.size(); ++i)
    if (std::abs(points.x[i + 1] - points.x[i] - step) > 0.01 * step) return false;
  return true;
}

}  // namespace

Samples guide_samples(const Target& unit, int count) {
  return stands_for_points(unit) ? even_samples(unit.curve, {0, 1}, count)
                                 : weighted_samples(unit.samples, unit.curve, count);
}

}  // namespace asap::region
