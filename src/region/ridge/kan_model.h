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

/// Kolmogorov-Arnold networks (Liu et al. 2024, arXiv 2404.19756) as a least-squares fit: every
/// edge from x_i to out_j has a function of its own, b silu(x) + sum_m c_m B_m(x) with cubic
/// B-splines on a fixed interval, straight beyond it; a neuron adds its edges. Residuals are
/// (F(x_i) - y_i) / sqrt(n).
///
/// Parameters: layer after layer, output after output, input after input: b, then the coefficients
/// c [cells + 3]. A baseline for region-constrained networks.
class KanModel : public numerics::LeastSquaresModel {
 public:
  /// The rows, standardised, are kept by reference. Splines of the first layer lie on [-3, 3], of
  /// hidden layers on [-2, 2].
  KanModel(const TableRows& rows, KanShape shape);

  /// Splines near zero, silu as in Xavier's initialisation.
  std::vector<double> start(base::RandomStream& random) const;
  /// Values at rows: [n].
  std::vector<double> predict(tensor::VectorView<const double> parameters,
                              const TableRows& rows) const;

  std::int64_t parameter_count() const override { return shape_.parameter_count(); }
  std::int64_t residual_count() const override { return rows_.size(); }
  void evaluate(tensor::VectorView<const double> parameters,
                tensor::VectorView<double> residuals) override;
  void jacobian(tensor::MatrixView<double> transposed) override;

 private:
  /// What one sample leaves in the layers.
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

  const TableRows& rows_;
  KanShape shape_;
  std::vector<double> parameters_;  // of the last evaluate()
};

/// Shapes of one hidden layer with 3, 5 and 8 cells and nearest to `parameters` parameters.
std::vector<KanShape> kan_shapes(std::int64_t inputs, std::int64_t parameters);

}  // namespace asap::region
