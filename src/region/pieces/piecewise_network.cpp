#include "region/pieces/piecewise_network.h"

#include <algorithm>
#include <cmath>

namespace asap::region {

double mean_squared_error(const PiecewiseLinear& function, const Samples& samples) {
  double sum = 0, total = 0;
  std::size_t k = 0;
  for (std::size_t i = 0; i < samples.x.size(); ++i) {
    const double x = samples.x[i], weight = samples.weight.empty() ? 1 : samples.weight[i];
    while (k + 2 < function.x.size() && x >= function.x[k + 1]) ++k;
    const double part = (x - function.x[k]) / (function.x[k + 1] - function.x[k]);
    const double error = function.y[k] * (1 - part) + function.y[k + 1] * part - samples.y[i];
    sum += weight * error * error;
    total += weight;
  }
  return sum / total;
}

PiecewiseLinear without_idle_knots(const PiecewiseLinear& function, double tolerance) {
  PiecewiseLinear kept{{function.x.front()}, {function.y.front()}};
  for (std::size_t k = 1; k + 1 < function.x.size(); ++k) {
    const double left = kept.x.back(), right = function.x[k + 1];
    const double part = (function.x[k] - left) / (right - left);
    const double straight = kept.y.back() * (1 - part) + function.y[k + 1] * part;
    if (std::abs(straight - function.y[k]) <= tolerance) continue;
    kept.x.push_back(function.x[k]);
    kept.y.push_back(function.y[k]);
  }
  kept.x.push_back(function.x.back());
  kept.y.push_back(function.y.back());
  return kept;
}

ReluNetwork to_network(const PiecewiseLinear& function) {
  const std::int64_t pieces = function.pieces();
  const std::int64_t middle = pieces / 2;
  DenseLayer hidden(std::max<std::int64_t>(pieces, 2), 1);
  DenseLayer output(1, hidden.outputs());
  std::int64_t neuron = 0;
  const auto add = [&](std::int64_t knot, double direction, double weight) {
    hidden.w(neuron, 0) = direction;
    hidden.bias[static_cast<std::size_t>(neuron)] =
        -direction * function.x[static_cast<std::size_t>(knot)];
    output.w(0, neuron++) = weight;
  };
  const auto bend = [&](std::int64_t knot) {
    return function.slope(knot) - function.slope(knot - 1);
  };
  // One piece is cut at its left end, into two neurons of one slope.
  add(middle, -1, -function.slope(std::max<std::int64_t>(middle - 1, 0)));
  add(middle, 1, function.slope(middle));
  for (std::int64_t k = middle; k-- > 1;) add(k, -1, bend(k));
  for (std::int64_t k = middle + 1; k < pieces; ++k) add(k, 1, bend(k));
  output.bias[0] = function.y[static_cast<std::size_t>(middle)];
  return {{std::move(hidden), std::move(output)}};
}

}  // namespace asap::region
