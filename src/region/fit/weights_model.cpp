#include "region/fit/weights_model.h"

#include <algorithm>
#include <cmath>

#include "region/fit/layer_kernels.h"
#include "tensor/kernels/elementwise.h"

namespace asap::region {
namespace {

/// First parameter of each layer, then the number of parameters.
std::vector<std::int64_t> layer_begins_of(const NetworkShape& shape) {
  std::vector<std::int64_t> begins{0};
  std::int64_t reads = shape.inputs;
  for (const std::int64_t width : shape.widths) {
    begins.push_back(begins.back() + shape.blocks * width * (reads + 1));
    reads = width;
  }
  begins.push_back(begins.back() + shape.blocks * reads + 1);
  return begins;
}

/// Calls visit(number of inputs) for every neuron in the order of the parameters, the output last.
template <class Visit>
void for_each_neuron(const NetworkShape& shape, const Visit& visit) {
  std::int64_t reads = shape.inputs;
  for (const std::int64_t width : shape.widths) {
    for (std::int64_t k = 0; k < shape.blocks * width; ++k) visit(reads);
    reads = width;
  }
  visit(shape.blocks * reads);
}

/// Rounds the number of samples up to whole vectors of every instruction set.
std::int64_t padded(std::int64_t samples) {
  constexpr std::int64_t kLanes = 8;
  return (samples + kLanes - 1) / kLanes * kLanes;
}

}  // namespace

NetworkShape NetworkShape::uniform(int depth, std::int64_t width) {
  return {1, 1, std::vector<std::int64_t>(static_cast<std::size_t>(depth), width)};
}

std::int64_t NetworkShape::parameter_count() const { return layer_begins_of(*this).back(); }

std::vector<double> kaiming_parameters(const NetworkShape& shape, base::RandomStream& random) {
  std::vector<double> parameters;
  for_each_neuron(shape, [&](std::int64_t inputs) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(inputs));
    for (std::int64_t j = 0; j < inputs; ++j) parameters.push_back(deviation * random.normal());
    parameters.push_back(0);
  });
  return parameters;
}

std::vector<double> asymmetric_parameters(const NetworkShape& shape, base::RandomStream& random) {
  std::vector<double> parameters;
  for_each_neuron(shape, [&](std::int64_t inputs) {
    const std::size_t first = parameters.size();
    const double deviation = 0.6007 / std::sqrt(static_cast<double>(inputs));
    for (std::int64_t j = 0; j <= inputs; ++j) parameters.push_back(deviation * random.normal());
    const std::uint64_t chosen = random.below(static_cast<std::uint64_t>(inputs) + 1);
    // The distribution function of Beta(2, 1) is the square.
    parameters[first + chosen] = std::sqrt(random.uniform());
  });
  return parameters;
}

WeightsModel::WeightsModel(const Samples& samples, std::vector<std::int64_t> widths)
    : shape_{1, 1, std::move(widths)} {
  allocate(padded(samples.size()));
  const double total = samples.total_weight();
  std::fill_n(inputs_.data(), residual_count(), samples.x.back());
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    inputs_[i] = samples.x[i];
    targets_[i] = samples.y[i];
    root_weights_[i] = std::sqrt(samples.weight_at(i) / total);
  }
}

WeightsModel::WeightsModel(const Rows& rows, NetworkShape shape) : shape_(std::move(shape)) {
  base::check(rows.inputs() == shape_.inputs, "WeightsModel: wrong number of inputs");
  base::check(rows.size() > 0, "WeightsModel: no rows");
  allocate(padded(rows.size()));
  const double weight = std::sqrt(1 / static_cast<double>(rows.size()));
  for (std::int64_t i = 0; i < residual_count(); ++i) {
    const std::int64_t row = std::min(i, rows.size() - 1);
    for (std::int64_t j = 0; j < shape_.inputs; ++j)
      inputs_[j * residual_count() + i] = rows.x[row * shape_.inputs + j];
    targets_[i] = rows.y[static_cast<std::size_t>(row)];
    root_weights_[i] = i == row ? weight : 0;
  }
}

void WeightsModel::allocate(std::int64_t samples) {
  base::check(!shape_.widths.empty(), "WeightsModel: no hidden layer");
  offsets_ = layer_begins_of(shape_);
  inputs_ = tensor::Tensor<double>({shape_.inputs, samples});
  targets_ = root_weights_ = output_ = tensor::Tensor<double>({samples});
  for (const std::int64_t width : shape_.widths) {
    const tensor::Shape all{shape_.blocks * width, samples};
    activation_.emplace_back(all);
    slope_.emplace_back(all);
    delta_.emplace_back(all);
  }
}

std::vector<double> WeightsModel::parameters_of(const ReluNetwork& network, std::int64_t blocks) {
  std::vector<double> parameters;
  const auto last = network.layers.size() - 1;
  for (std::size_t l = 0; l <= last; ++l) {
    const DenseLayer& layer = network.layers[l];
    const bool split = l > 0 && l < last;
    const std::int64_t rows = l < last ? layer.outputs() / blocks : 1;
    const std::int64_t columns = split ? layer.inputs() / blocks : layer.inputs();
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      const std::int64_t first = split ? k / rows * columns : 0;
      for (std::int64_t j = 0; j < columns; ++j) parameters.push_back(layer.w(k, first + j));
      parameters.push_back(layer.bias[static_cast<std::size_t>(k)]);
    }
  }
  return parameters;
}

ReluNetwork WeightsModel::network(tensor::VectorView<const double> parameters) const {
  ReluNetwork network;
  const double* next = parameters.data();
  for (std::size_t l = 0; l < hidden(); ++l) {
    const std::int64_t rows = shape_.widths[l], columns = read_by(l);
    DenseLayer layer(shape_.blocks * rows, l == 0 ? columns : shape_.blocks * columns);
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      const std::int64_t first = l == 0 ? 0 : k / rows * columns;
      for (std::int64_t j = 0; j < columns; ++j) layer.w(k, first + j) = *next++;
      layer.bias[static_cast<std::size_t>(k)] = *next++;
    }
    network.layers.push_back(std::move(layer));
  }
  DenseLayer output(1, network.layers.back().outputs());
  for (std::int64_t j = 0; j < output.inputs(); ++j) output.w(0, j) = *next++;
  output.bias[0] = *next;
  network.layers.push_back(std::move(output));
  return network;
}

tensor::MatrixView<const double> WeightsModel::weights(std::size_t layer,
                                                       std::int64_t block) const {
  return {parameters_.data() + first_weight(layer, block), shape_.widths[layer],
          read_by(layer) + 1};
}

tensor::MatrixView<const double> WeightsModel::output_weights() const {
  return {parameters_.data() + offsets_[hidden()], 1, shape_.blocks * shape_.widths.back() + 1};
}

tensor::MatrixView<const double> WeightsModel::input_of(std::size_t layer,
                                                        std::int64_t block) const {
  if (layer == 0) return inputs_.rows();
  const std::int64_t width = shape_.widths[layer - 1];
  return activation_[layer - 1].rows().block(block * width, 0, width, residual_count());
}

tensor::MatrixView<double> WeightsModel::rows_of(tensor::Tensor<double>& all, std::size_t layer,
                                                 std::int64_t block) const {
  const std::int64_t width = shape_.widths[layer];
  return all.rows().block(block * width, 0, width, residual_count());
}

void WeightsModel::forward(tensor::VectorView<const double> parameters) {
  parameters_.assign(parameters.begin(), parameters.end());
  for (std::size_t l = 0; l < hidden(); ++l)
    for (std::int64_t b = 0; b < shape_.blocks; ++b)
      relu_layer(weights(l, b), input_of(l, b), tau_, rows_of(activation_[l], l, b),
                 rows_of(slope_[l], l, b));
  linear_output(output_weights().row(0), activation_.back().rows(), output_.flat());
}

void WeightsModel::evaluate(tensor::VectorView<const double> parameters,
                            tensor::VectorView<double> residuals) {
  forward(parameters);
  tensor::axpy<double>(-1.0, targets_.flat(), output_.flat());
  tensor::multiply<double>(output_.flat(), root_weights_.flat(), residuals);
}

template <class Visit>
void WeightsModel::backward(tensor::VectorView<const double> output_delta, const Visit& visit) {
  const std::size_t last = hidden();
  const tensor::MatrixView<const double> delta(output_delta.data(), 1, residual_count());
  visit(offsets_[last], delta, tensor::MatrixView<const double>(activation_.back().rows()));
  relu_layer_vjp(output_weights(), delta, slope_[last - 1].rows(), delta_[last - 1].rows());
  for (std::size_t l = last; l-- > 0;) {
    for (std::int64_t b = 0; b < shape_.blocks; ++b) {
      const tensor::MatrixView<const double> own = rows_of(delta_[l], l, b);
      visit(first_weight(l, b), own, input_of(l, b));
      if (l > 0)
        relu_layer_vjp(weights(l, b), own, rows_of(slope_[l - 1], l - 1, b),
                       rows_of(delta_[l - 1], l - 1, b));
    }
  }
}

void WeightsModel::jacobian(tensor::MatrixView<double> transposed) {
  backward(root_weights_.flat(), [&](std::int64_t first, const auto& delta, const auto& h) {
    layer_jacobian(delta, h,
                   transposed.block(first, 0, delta.rows * (h.rows + 1), transposed.cols));
  });
}

void WeightsModel::gradient(tensor::VectorView<const double> residuals,
                            tensor::VectorView<double> gradient) {
  tensor::multiply<double>(residuals, root_weights_.flat(), output_.flat());
  backward(output_.flat(), [&](std::int64_t first, const auto& delta, const auto& h) {
    layer_gradient(delta, h,
                   gradient.subspan(static_cast<std::size_t>(first),
                                    static_cast<std::size_t>(delta.rows * (h.rows + 1))));
  });
}

double WeightsModel::mean_squared_error(tensor::VectorView<const double> parameters) {
  tensor::Tensor<double> residuals({residual_count()});
  evaluate(parameters, residuals.flat());
  return tensor::dot<double>(residuals.flat(), residuals.flat());
}

void WeightsModel::balance(tensor::VectorView<double> parameters) {
  for (std::size_t l = 0; l < hidden(); ++l) {
    forward(parameters);
    const std::int64_t width = shape_.widths[l], columns = read_by(l) + 1;
    const bool output_reads = l + 1 == hidden();
    const std::int64_t readers = output_reads ? 1 : shape_.widths[l + 1];
    for (std::int64_t k = 0; k < shape_.blocks * width; ++k) {
      const double largest = tensor::maximum<double>(activation_[l].rows().row(k));
      if (!(largest > 1e-12)) continue;
      double* const own = parameters.data() + offsets_[l] + k * columns;
      for (std::int64_t j = 0; j < columns; ++j) own[j] /= largest;
      double* const read =
          parameters.data() +
          (output_reads ? offsets_[l + 1] + k : first_weight(l + 1, k / width) + k % width);
      for (std::int64_t r = 0; r < readers; ++r) read[r * (width + 1)] *= largest;
    }
  }
}

}  // namespace asap::region
