#include "region/ridge/continuation.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "numerics/curve.h"

namespace asap::region {
namespace {

/// Lowest and highest value.
using Ranges = std::vector<numerics::Interval>;

Ranges input_ranges(tensor::MatrixView<const double> rows, double reach) {
  Ranges ranges;
  for (std::int64_t j = 0; j < rows.cols; ++j) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (std::int64_t i = 0; i < rows.rows; ++i) {
      low = std::min(low, rows(i, j));
      high = std::max(high, rows(i, j));
    }
    ranges.push_back({low - reach * (high - low), high + reach * (high - low)});
  }
  return ranges;
}

/// Pre-activations of a layer on rows. values: [rows, inputs of the layer].
tensor::Tensor<double> affine(const DenseLayer& layer, const tensor::Tensor<double>& values) {
  const std::int64_t count = values.shape()[0];
  tensor::Tensor<double> sums({count, layer.outputs()});
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      double sum = layer.bias[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < layer.inputs(); ++j)
        sum += layer.w(k, j) * values[i * layer.inputs() + j];
      sums[i * layer.outputs() + k] = sum;
    }
  return sums;
}

numerics::Interval range_of(const DenseLayer& layer, std::int64_t k, const Ranges& inputs) {
  numerics::Interval range{layer.bias[static_cast<std::size_t>(k)],
                           layer.bias[static_cast<std::size_t>(k)]};
  for (std::int64_t j = 0; j < layer.inputs(); ++j) {
    const auto& [low, high] = inputs[static_cast<std::size_t>(j)];
    const double a = layer.w(k, j) * low, b = layer.w(k, j) * high;
    range.low += std::min(a, b);
    range.high += std::max(a, b);
  }
  return range;
}

void remove_neuron(DenseLayer& layer, DenseLayer& next, std::int64_t k) {
  for (std::int64_t j = 0; j < layer.inputs(); ++j) layer.w(k, j) = 0;
  layer.bias[static_cast<std::size_t>(k)] = 0;
  for (std::int64_t row = 0; row < next.outputs(); ++row) next.w(row, k) = 0;
}

void lift_neuron(DenseLayer& layer, DenseLayer& next, std::int64_t k, double lift) {
  layer.bias[static_cast<std::size_t>(k)] += lift;
  for (std::int64_t row = 0; row < next.outputs(); ++row)
    next.bias[static_cast<std::size_t>(row)] -= lift * next.w(row, k);
}

}  // namespace

ReluNetwork continue_end_pieces(const ReluNetwork& network, tensor::MatrixView<const double> rows,
                                double reach, std::int64_t spare) {
  ReluNetwork result = network;
  Ranges ranges = input_ranges(rows, reach);
  tensor::Tensor<double> values({rows.rows, rows.cols});
  for (std::int64_t i = 0; i < rows.rows; ++i)
    std::ranges::copy(rows.row(i), values.data() + i * rows.cols);
  for (std::size_t l = 0; l + 1 < result.layers.size(); ++l) {
    DenseLayer &layer = result.layers[l], &next = result.layers[l + 1];
    tensor::Tensor<double> sums = affine(layer, values);
    Ranges activations;
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      std::int64_t active = 0;
      for (std::int64_t i = 0; i < rows.rows; ++i) {
        const double sum = sums[i * layer.outputs() + k];
        active += sum > 0;
      }
      const numerics::Interval range = range_of(layer, k, ranges);
      double lift = 0;
      const bool removed = active <= spare;
      if (removed)
        remove_neuron(layer, next, k);
      else if (active >= rows.rows - spare && range.low < 0)
        lift_neuron(layer, next, k, lift = -range.low);
      for (std::int64_t i = 0; i < rows.rows; ++i) {
        double& sum = sums[i * layer.outputs() + k];
        sum = removed ? 0 : std::max(sum + lift, 0.0);
      }
      activations.push_back(removed ? numerics::Interval{0, 0}
                                    : numerics::Interval{std::max(range.low + lift, 0.0),
                                                         std::max(range.high + lift, 0.0)});
    }
    values = std::move(sums);
    ranges = std::move(activations);
  }
  return result;
}

}  // namespace asap::region
