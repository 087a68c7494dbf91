#include "region/pieces/polyline.h"

#include <algorithm>
#include <cmath>

namespace asap::region {

std::size_t Polyline::piece_at(double x) const {
  const auto after = std::upper_bound(knots.begin() + 1, knots.end() - 1, x);
  return static_cast<std::size_t>(after - knots.begin()) - 1;
}

double Polyline::operator()(double x) const {
  const std::size_t k = piece_at(x);
  const double part = (x - knots[k]) / (knots[k + 1] - knots[k]);
  return values[k] * (1 - part) + values[k + 1] * part;
}

double mean_squared_error(const Polyline& polyline, const Samples& samples) {
  double sum = 0, total = 0;
  std::size_t k = 0;
  for (std::size_t i = 0; i < samples.x.size(); ++i) {
    const double x = samples.x[i], weight = samples.weight.empty() ? 1 : samples.weight[i];
    while (k + 2 < polyline.knots.size() && x >= polyline.knots[k + 1]) ++k;
    const double part = (x - polyline.knots[k]) / (polyline.knots[k + 1] - polyline.knots[k]);
    const double error =
        polyline.values[k] * (1 - part) + polyline.values[k + 1] * part - samples.y[i];
    sum += weight * error * error;
    total += weight;
  }
  return sum / total;
}

Polyline without_idle_knots(const Polyline& polyline, double tolerance) {
  Polyline kept{{polyline.knots.front()}, {polyline.values.front()}};
  for (std::size_t k = 1; k + 1 < polyline.knots.size(); ++k) {
    const double left = kept.knots.back(), right = polyline.knots[k + 1];
    const double part = (polyline.knots[k] - left) / (right - left);
    const double straight = kept.values.back() * (1 - part) + polyline.values[k + 1] * part;
    if (std::abs(straight - polyline.values[k]) <= tolerance) continue;
    kept.knots.push_back(polyline.knots[k]);
    kept.values.push_back(polyline.values[k]);
  }
  kept.knots.push_back(polyline.knots.back());
  kept.values.push_back(polyline.values.back());
  return kept;
}

ReluNetwork to_network(const Polyline& polyline) {
  const auto pieces = static_cast<std::size_t>(polyline.pieces());
  // One piece is cut at its left end, into two neurons of one slope.
  const std::size_t middle = pieces / 2;
  DenseLayer hidden(std::max<std::int64_t>(polyline.pieces(), 2), 1);
  DenseLayer output(1, hidden.outputs());
  std::int64_t neuron = 0;
  const auto add = [&](double knot, double direction, double weight) {
    hidden.w(neuron, 0) = direction;
    hidden.bias[static_cast<std::size_t>(neuron)] = -direction * knot;
    output.w(0, neuron++) = weight;
  };
  const std::size_t left = pieces == 1 ? 0 : middle - 1;
  add(polyline.knots[middle], -1, -polyline.slope(left));
  add(polyline.knots[middle], 1, polyline.slope(pieces == 1 ? 0 : middle));
  for (std::size_t k = middle; k-- > 1;)
    add(polyline.knots[k], -1, polyline.slope(k) - polyline.slope(k - 1));
  for (std::size_t k = middle + 1; k < pieces; ++k)
    add(polyline.knots[k], 1, polyline.slope(k) - polyline.slope(k - 1));
  output.bias[0] = polyline.values[middle];
  return {{std::move(hidden), std::move(output)}};
}

}  // namespace asap::region
