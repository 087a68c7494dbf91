#include "region/weights_model.h"

#include <algorithm>
#include <cmath>

#include "region/layer_kernels.h"
#include "tensor/elementwise.h"

namespace asap {

WeightsModel::WeightsModel(const Samples& samples, std::vector<std::int64_t> widths)
    : widths_(std::move(widths)), offsets_{0} {
  check(!widths_.empty(), "WeightsModel: no hidden layer");
  constexpr std::int64_t kLanes = 8;  // whole vectors on every instruction set
  const std::int64_t n = (samples.size() + kLanes - 1) / kLanes * kLanes;
  std::int64_t width = 1;
  for (const std::int64_t next : widths_) {
    offsets_.push_back(offsets_.back() + next * (width + 1));
    width = next;
  }
  offsets_.push_back(offsets_.back() + width + 1);

  inputs_ = Tensor<double>({1, n});
  targets_ = root_weights_ = output_ = Tensor<double>({n});
  const double total = samples.total_weight();
  std::fill_n(inputs_.data(), n, samples.x.back());
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    inputs_[i] = samples.x[i];
    targets_[i] = samples.y[i];
    root_weights_[i] = std::sqrt(samples.weight_at(i) / total);
  }
  for (const std::int64_t rows : widths_) {
    activation_.emplace_back(Shape{rows, n});
    slope_.emplace_back(Shape{rows, n});
    delta_.emplace_back(Shape{rows, n});
  }
}

std::vector<double> WeightsModel::parameters_of(const ReluNetwork& network) {
  std::vector<double> parameters;
  for (const DenseLayer& layer : network.layers) {
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      for (std::int64_t j = 0; j < layer.inputs(); ++j) parameters.push_back(layer.w(k, j));
      parameters.push_back(layer.bias[k]);
    }
  }
  return parameters;
}

ReluNetwork WeightsModel::network(VectorView<const double> parameters) const {
  ReluNetwork network;
  const double* next = parameters.data();
  for (std::size_t l = 0; l <= hidden(); ++l) {
    DenseLayer layer(l < hidden() ? widths_[l] : 1, l > 0 ? widths_[l - 1] : 1);
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      for (std::int64_t j = 0; j < layer.inputs(); ++j) layer.w(k, j) = *next++;
      layer.bias[k] = *next++;
    }
    network.layers.push_back(std::move(layer));
  }
  return network;
}

MatrixView<const double> WeightsModel::weights(std::size_t layer) const {
  return {parameters_.data() + offsets_[layer], layer < hidden() ? widths_[layer] : 1,
          (layer > 0 ? widths_[layer - 1] : 1) + 1};
}

MatrixView<const double> WeightsModel::activations(std::size_t layer) const {
  return layer == 0 ? inputs_.rows() : activation_[layer - 1].rows();
}

void WeightsModel::forward(VectorView<const double> parameters) {
  parameters_.assign(parameters.begin(), parameters.end());
  for (std::size_t l = 0; l < hidden(); ++l)
    relu_layer(weights(l), activations(l), tau_, activation_[l].rows(), slope_[l].rows());
  linear_output(weights(hidden()).row(0), activations(hidden()), output_.flat());
}

void WeightsModel::evaluate(VectorView<const double> parameters, VectorView<double> residuals) {
  forward(parameters);
  axpy<double>(-1.0, targets_.flat(), output_.flat());
  multiply<double>(output_.flat(), root_weights_.flat(), residuals);
}

template <class Visit>
void WeightsModel::backward(VectorView<const double> output_delta, const Visit& visit) {
  MatrixView<const double> delta(output_delta.data(), 1, residual_count());
  for (std::size_t l = hidden() + 1; l-- > 0;) {
    visit(l, delta, activations(l));
    if (l == 0) break;
    relu_layer_vjp(weights(l), delta, slope_[l - 1].rows(), delta_[l - 1].rows());
    delta = delta_[l - 1].rows();
  }
}

void WeightsModel::jacobian(MatrixView<double> transposed) {
  backward(root_weights_.flat(), [&](std::size_t layer, const auto& delta, const auto& h) {
    const std::int64_t rows = offsets_[layer + 1] - offsets_[layer];
    layer_jacobian(delta, h, transposed.block(offsets_[layer], 0, rows, transposed.cols));
  });
}

void WeightsModel::gradient(VectorView<const double> residuals, VectorView<double> gradient) {
  multiply<double>(residuals, root_weights_.flat(), output_.flat());
  backward(output_.flat(), [&](std::size_t layer, const auto& delta, const auto& h) {
    const auto first = static_cast<std::size_t>(offsets_[layer]);
    const auto last = static_cast<std::size_t>(offsets_[layer + 1]);
    layer_gradient(delta, h, gradient.subspan(first, last - first));
  });
}

void WeightsModel::balance(VectorView<double> parameters) {
  for (std::size_t l = 0; l < hidden(); ++l) {
    forward(parameters);
    const std::int64_t columns = weights(l).cols;
    const std::int64_t readers = l + 1 < hidden() ? widths_[l + 1] : 1;
    for (std::int64_t k = 0; k < widths_[l]; ++k) {
      const double largest = maximum<double>(activation_[l].rows().row(k));
      if (!(largest > 1e-12)) continue;
      double* const own = parameters.data() + offsets_[l] + k * columns;
      for (std::int64_t j = 0; j < columns; ++j) own[j] /= largest;
      double* const read = parameters.data() + offsets_[l + 1] + k;
      for (std::int64_t r = 0; r < readers; ++r) read[r * (widths_[l] + 1)] *= largest;
    }
  }
}

}  // namespace asap
