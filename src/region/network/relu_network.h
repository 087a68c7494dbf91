#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "tensor/core/tensor.h"

namespace asap::region {

/// One affine layer z = W h + b.
struct DenseLayer {
  tensor::Tensor<double> weight;  ///< W: [outputs, inputs]
  std::vector<double> bias;       ///< b: [outputs]

  DenseLayer() = default;
  DenseLayer(std::int64_t outputs, std::int64_t inputs)
      : weight({outputs, inputs}), bias(static_cast<std::size_t>(outputs)) {}

  std::int64_t outputs() const { return weight.shape()[0]; }
  std::int64_t inputs() const { return weight.shape()[1]; }
  double& w(std::int64_t output, std::int64_t input) { return weight[output * inputs() + input]; }
  double w(std::int64_t output, std::int64_t input) const {
    return weight[output * inputs() + input];
  }
};

/// A network of one output: affine layers with ReLU between them. It has one input or several;
/// functions that take a number x are for one input.
struct ReluNetwork {
  std::vector<DenseLayer> layers;

  std::int64_t inputs() const { return layers.front().inputs(); }

  /// Number of hidden layers.
  int depth() const { return static_cast<int>(layers.size()) - 1; }
  /// Number of weights and biases, zeros included.
  std::int64_t parameter_count() const;
  /// Number of non-zero weights and biases.
  std::int64_t nonzero_count() const;
  /// Writes the values at x: [n] into y: [n].
  void evaluate(std::span<const double> x, std::span<double> y) const;
  double operator()(double x) const;
  /// The same for any number of inputs. x: [n, inputs]; y: [n].
  void evaluate(tensor::MatrixView<const double> x, std::span<double> y) const;

  /// Replaces the input by scale * x + shift, for one input.
  void substitute_input(double scale, double shift);
  /// Replaces the function F by scale * F + shift.
  void transform_output(double scale, double shift);
};

/// The same function with at least `depth` hidden layers: new ones of the last one's width pass its
/// values on.
ReluNetwork deepened(ReluNetwork network, int depth);

/// The network of minuend(x) - subtrahend(x): both side by side, equally deep.
ReluNetwork difference(const ReluNetwork& minuend, const ReluNetwork& subtrahend);

/// The rows of a layer without zero weights, for evaluation and counting: networks of windows are
/// mostly zeros.
class SparseRows {
 public:
  explicit SparseRows(const DenseLayer& layer);

  struct Entry {
    std::int64_t column;
    double weight;
  };
  std::span<const Entry> row(std::int64_t index) const {
    return {entries_.data() + begin_[static_cast<std::size_t>(index)],
            entries_.data() + begin_[static_cast<std::size_t>(index) + 1]};
  }
  double bias(std::int64_t index) const { return bias_[static_cast<std::size_t>(index)]; }
  std::int64_t rows() const { return static_cast<std::int64_t>(bias_.size()); }

 private:
  std::vector<Entry> entries_;
  std::vector<std::size_t> begin_;
  std::vector<double> bias_;
};

}  // namespace asap::region
