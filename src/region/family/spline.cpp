#include "region/family/spline.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "region/family/linear_part.h"

namespace asap::region {
namespace {

/// Squared residual of point i against the line through points i - lag and i + lag, divided by the
/// variance that unit noise gives it.
double squared_pseudo_residual(const Samples& samples, std::int64_t i, std::int64_t lag) {
  const auto left = static_cast<std::size_t>(i - lag), right = static_cast<std::size_t>(i + lag);
  const auto at = static_cast<std::size_t>(i);
  const double t = (samples.x[at] - samples.x[left]) / (samples.x[right] - samples.x[left]);
  const double residual = (1 - t) * samples.y[left] + t * samples.y[right] - samples.y[at];
  const double variance = (1 - t) * (1 - t) / samples.weight_at(i - lag) +
                          t * t / samples.weight_at(i + lag) + 1 / samples.weight_at(i);
  return residual * residual / variance;
}

double median_pseudo_residual(const Samples& samples, std::int64_t lag) {
  std::vector<double> squares;
  for (std::int64_t i = lag; i + lag < samples.size(); ++i)
    squares.push_back(squared_pseudo_residual(samples, i, lag));
  const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
  std::nth_element(squares.begin(), middle, squares.end());
  return *middle;
}

FoldedFunction fit_lines(const Samples& samples, int pieces) {
  FoldedFunction lines;  // windows without folds
  const numerics::Interval interval{samples.x.front(), samples.x.back()};
  for (int k = 0; k <= pieces; ++k)
    lines.nodes.push_back(interval.at(static_cast<double>(k) / pieces));
  lines.nodes.back() = interval.high;
  lines.values.assign(lines.nodes.size(), 0.0);
  lines.windows.resize(static_cast<std::size_t>(pieces));
  fit_linear_part(lines, samples);
  return lines;
}

}  // namespace

CubicSpline::CubicSpline(std::vector<double> x, std::vector<double> y)
    : x_(std::move(x)), y_(std::move(y)), curvature_(x_.size()) {
  base::check(x_.size() >= 4 && x_.size() == y_.size(),
              "CubicSpline: at least four points are needed");
  const std::size_t n = x_.size();
  const auto h = [&](std::size_t i) { return x_[i + 1] - x_[i]; };
  // Continuity of the first derivative at every inner point. The second derivatives at the ends
  // continue the line of the next two (not a knot), substituted into the first and last equation.
  std::vector<double> lower(n), diagonal(n), upper(n), right(n);
  for (std::size_t i = 1; i + 1 < n; ++i) {
    lower[i] = h(i - 1);
    diagonal[i] = 2 * (h(i - 1) + h(i));
    upper[i] = h(i);
    right[i] = 6 * ((y_[i + 1] - y_[i]) / h(i) - (y_[i] - y_[i - 1]) / h(i - 1));
  }
  const double first = h(0) / h(1), last = h(n - 2) / h(n - 3);
  diagonal[1] += lower[1] * (1 + first);
  upper[1] -= lower[1] * first;
  diagonal[n - 2] += upper[n - 2] * (1 + last);
  lower[n - 2] -= upper[n - 2] * last;
  for (std::size_t i = 2; i + 1 < n; ++i) {
    const double factor = lower[i] / diagonal[i - 1];
    diagonal[i] -= factor * upper[i - 1];
    right[i] -= factor * right[i - 1];
  }
  curvature_[n - 2] = right[n - 2] / diagonal[n - 2];
  for (std::size_t i = n - 2; i-- > 1;)
    curvature_[i] = (right[i] - upper[i] * curvature_[i + 1]) / diagonal[i];
  curvature_[0] = (1 + first) * curvature_[1] - first * curvature_[2];
  curvature_[n - 1] = (1 + last) * curvature_[n - 2] - last * curvature_[n - 3];
}

double CubicSpline::operator()(double at) const {
  const auto after = std::upper_bound(x_.begin() + 1, x_.end() - 1, at);
  const auto i = static_cast<std::size_t>(after - x_.begin()) - 1;
  const double h = x_[i + 1] - x_[i];
  const double b = (at - x_[i]) / h, a = 1 - b;
  return a * y_[i] + b * y_[i + 1] +
         ((a * a * a - a) * curvature_[i] + (b * b * b - b) * curvature_[i + 1]) * h * h / 6;
}

double noise_variance(const Samples& samples) {
  if (samples.size() < 12) return 0;
  const double near = median_pseudo_residual(samples, 1);
  const double far = median_pseudo_residual(samples, 2);
  double largest = 0;
  for (const double y : samples.y) largest = std::max(largest, std::abs(y));
  const double rounding = 1e-15 * largest;
  if (near <= rounding * rounding || far >= 4 * near) return 0;
  constexpr double kMedianOfSquare = 0.4549;  // of a standard normal variable
  return std::max(0.0, (16 * near - far) / 15) / kMedianOfSquare;
}

CubicSpline smoothing_curve(const Samples& samples, double noise_variance) {
  FoldedFunction best;
  double least = std::numeric_limits<double>::infinity();
  for (int pieces = 4; pieces <= 128 && std::int64_t{4} * pieces <= samples.size(); pieces *= 2) {
    FoldedFunction lines = fit_lines(samples, pieces);
    double cost = 2 * (pieces + 1) * noise_variance;
    for (std::int64_t i = 0; i < samples.size(); ++i) {
      const double residual =
          lines(samples.x[static_cast<std::size_t>(i)]) - samples.y[static_cast<std::size_t>(i)];
      cost += samples.weight_at(i) * residual * residual;
    }
    if (cost >= least) continue;
    least = cost;
    best = std::move(lines);
  }
  if (best.nodes.empty()) return {samples.x, samples.y};
  return {best.nodes, best.values};
}

Samples bin_samples(const Samples& samples, int bins) {
  if (samples.size() <= bins) return samples;
  const numerics::Interval interval{samples.x.front(), samples.x.back()};
  Samples binned;
  int open = -1;
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int bin = std::min(bins - 1, static_cast<int>(interval.unit(samples.x[at]) * bins));
    if (bin != open) {
      for (auto* column : {&binned.x, &binned.y, &binned.weight}) column->push_back(0);
      open = bin;
    }
    const double weight = samples.weight_at(i);
    binned.x.back() += weight * samples.x[at];
    binned.y.back() += weight * samples.y[at];
    binned.weight.back() += weight;
  }
  for (std::size_t b = 0; b < binned.x.size(); ++b) {
    binned.x[b] /= binned.weight[b];
    binned.y[b] /= binned.weight[b];
  }
  return binned;
}

}  // namespace asap::region
