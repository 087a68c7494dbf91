#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "numerics/cubic_splines.h"
#include "numerics/curve.h"
#include "numerics/levenberg_marquardt.h"
#include "region/network/samples.h"

namespace asap::region {

/// Layers of a Kolmogorov-Arnold network of one output.
struct KanShape {
  std::int64_t inputs = 1;
  std::vector<std::int64_t> widths;  ///< of the hidden layers
  int cells = 5;                     ///< of every spline

  std::int64_t parameter_count() const;
};

/// A least-squares fit of a Kolmogorov-Arnold network (Liu et al. 2024, arXiv 2404.19756), a
/// baseline for region-constrained networks. Every edge from x_i to out_j has its own function b
/// silu(x) + sum_m c_m B_m(x) with cubic B-splines on a fixed interval, straight beyond it; a
/// neuron adds its edges. Residuals are (F(x_i) - y_i) / sqrt(n).
///
/// Parameters: layer by layer, output by output, input by input: b, then the coefficients
/// c [cells + 3].
class KanModel : public numerics::LeastSquaresModel {
 public:
  /// rows: standardised, kept by reference. Splines of the first layer lie on [-3, 3], those of
  /// later layers on [-2, 2].
  KanModel(const Rows& rows, KanShape shape);

  /// Random parameters: splines near zero, silu weights by Xavier's rule.
  std::vector<double> start(base::RandomStream& random) const;
  /// The values at rows: [n].
  std::vector<double> predict(tensor::VectorView<const double> parameters, const Rows& rows) const;

  std::int64_t parameter_count() const override { return shape_.parameter_count(); }
  std::int64_t residual_count() const override { return rows_.size(); }
  void evaluate(tensor::VectorView<const double> parameters,
                tensor::VectorView<double> residuals) override;
  void jacobian(tensor::MatrixView<double> transposed) override;

 private:
  /// The activations of one row.
  struct Trace {
    std::vector<std::vector<double>> inputs;  ///< of each layer
  };

  std::size_t layers() const { return shape_.widths.size() + 1; }
  std::int64_t width(std::size_t layer) const {
    return layer == 0 ? shape_.inputs : shape_.widths[layer - 1];
  }
  std::int64_t outputs(std::size_t layer) const {
    return layer + 1 == layers() ? 1 : shape_.widths[layer];
  }
  std::int64_t edge_size() const { return shape_.cells + 4; }
  numerics::CubicSplines splines(std::size_t layer) const {
    return {layer == 0 ? numerics::Interval{-3, 3} : numerics::Interval{-2, 2}, shape_.cells};
  }
  double forward(tensor::VectorView<const double> parameters, std::span<const double> x,
                 Trace& trace) const;

  const Rows& rows_;
  KanShape shape_;
  std::vector<double> parameters_;  // of the last evaluate()
};

/// Shapes of one hidden layer with 3, 5 and 8 cells, each with about `parameters` parameters.
std::vector<KanShape> kan_shapes(std::int64_t inputs, std::int64_t parameters);

}  // namespace asap::region
