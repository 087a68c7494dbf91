#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/core/tensor.h"

namespace asap::region {

/// Points (x, y) of one variable: x ascending and distinct, y, and weights (empty: all one).
struct Samples {
  std::vector<double> x, y, weight;

  std::int64_t size() const { return static_cast<std::int64_t>(x.size()); }
  double weight_at(std::int64_t index) const {
    return weight.empty() ? 1.0 : weight[static_cast<std::size_t>(index)];
  }
  double total_weight() const;
};

/// What points of equal x were before their mean took their place: by sample; empty where no points
/// shared their x.
struct Spread {
  std::vector<double> low, high;  ///< least and largest y
  std::vector<double> variance;   ///< weighted mean of (y - mean)^2

  bool empty() const { return low.empty(); }
  std::size_t size() const { return low.size(); }
  double middle(std::size_t i) const { return 0.5 * (low[i] + high[i]); }
  double half_range(std::size_t i) const { return 0.5 * (high[i] - low[i]); }
  /// What the points add to the mean squared error of their means, whatever the function.
  double mean_variance(const Samples& samples) const;
};

/// Largest |prediction - y| over the points behind the samples.
double max_error(const Samples& samples, const Spread& spread,
                 const std::vector<double>& prediction);

/// Rows: samples of several inputs and one target.
struct Rows {
  tensor::Tensor<double> x;  ///< [n, inputs]
  std::vector<double> y;     ///< [n]

  std::int64_t size() const { return static_cast<std::int64_t>(y.size()); }
  std::int64_t inputs() const { return x.rows().cols; }
  /// Inputs of one row: [inputs].
  std::span<const double> row(std::int64_t index) const {
    return {x.data() + index * inputs(), static_cast<std::size_t>(inputs())};
  }
};

/// sum_i w_i (prediction_i - y_i)^2 / sum_i w_i
double mean_squared_error(const Samples& samples, const std::vector<double>& prediction);

}  // namespace asap::region
