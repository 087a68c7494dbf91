#include "region/network/relu_network.h"

#include <algorithm>

namespace asap::region {
namespace {

constexpr std::int64_t kBlock = 64;  // samples that pass through all layers together

/// One layer on a block of samples. in: [inputs, kBlock], out: [outputs, kBlock].
void forward_block(const SparseRows& rows, const double* in, double* out, bool activate) {
  for (std::int64_t k = 0; k < rows.rows(); ++k) {
    double* z = out + k * kBlock;
    std::fill_n(z, kBlock, rows.bias(k));
    for (const auto& [column, weight] : rows.row(k)) {
      const double* h = in + column * kBlock;
      for (std::int64_t i = 0; i < kBlock; ++i) z[i] += weight * h[i];
    }
    if (activate)
      for (std::int64_t i = 0; i < kBlock; ++i) z[i] = z[i] < 0 ? 0 : z[i];
  }
}

}  // namespace

SparseRows::SparseRows(const DenseLayer& layer) : begin_{0}, bias_(layer.bias) {
  for (std::int64_t k = 0; k < layer.outputs(); ++k) {
    for (std::int64_t j = 0; j < layer.inputs(); ++j)
      if (layer.w(k, j) != 0) entries_.push_back({j, layer.w(k, j)});
    begin_.push_back(entries_.size());
  }
}

std::int64_t ReluNetwork::parameter_count() const {
  std::int64_t count = 0;
  for (const DenseLayer& layer : layers) count += layer.outputs() * (layer.inputs() + 1);
  return count;
}

std::int64_t ReluNetwork::nonzero_count() const {
  std::int64_t count = 0;
  for (const DenseLayer& layer : layers) {
    for (const double weight : layer.weight.flat()) count += weight != 0;
    for (const double bias : layer.bias) count += bias != 0;
  }
  return count;
}

void ReluNetwork::evaluate(std::span<const double> x, std::span<double> y) const {
  evaluate(tensor::MatrixView<const double>(x.data(), static_cast<std::int64_t>(x.size()), 1), y);
}

void ReluNetwork::evaluate(tensor::MatrixView<const double> x, std::span<double> y) const {
  base::check(x.rows == static_cast<std::int64_t>(y.size()) && x.cols == inputs(),
              "ReluNetwork::evaluate: shapes do not fit");
  std::vector<SparseRows> rows;
  std::int64_t width = inputs();
  for (const DenseLayer& layer : layers) {
    rows.emplace_back(layer);
    width = std::max(width, layer.outputs());
  }
  std::vector<double> in(static_cast<std::size_t>(width * kBlock)), out(in.size());
  for (std::int64_t first = 0; first < x.rows; first += kBlock) {
    const std::int64_t count = std::min(kBlock, x.rows - first);
    std::fill(in.begin(), in.begin() + x.cols * kBlock, 0.0);
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t j = 0; j < x.cols; ++j) in[j * kBlock + i] = x(first + i, j);
    for (std::size_t layer = 0; layer < rows.size(); ++layer) {
      forward_block(rows[layer], in.data(), out.data(), layer + 1 < rows.size());
      std::swap(in, out);
    }
    std::copy_n(in.begin(), count, y.begin() + first);
  }
}

double ReluNetwork::operator()(double x) const {
  double y = 0;
  evaluate({&x, 1}, {&y, 1});
  return y;
}

void ReluNetwork::substitute_input(double scale, double shift) {
  DenseLayer& first = layers.front();
  for (std::int64_t k = 0; k < first.outputs(); ++k) {
    first.bias[k] += first.w(k, 0) * shift;
    first.w(k, 0) *= scale;
  }
}

void ReluNetwork::transform_output(double scale, double shift) {
  DenseLayer& last = layers.back();
  for (std::int64_t j = 0; j < last.inputs(); ++j) last.w(0, j) *= scale;
  last.bias[0] = last.bias[0] * scale + shift;
}

ReluNetwork deepened(ReluNetwork network, int depth) {
  while (network.depth() < depth) {
    const std::int64_t width = network.layers.back().inputs();
    DenseLayer pass(width, width);
    for (std::int64_t k = 0; k < width; ++k) pass.w(k, k) = 1;
    network.layers.insert(network.layers.end() - 1, std::move(pass));
  }
  return network;
}

ReluNetwork difference(const ReluNetwork& minuend, const ReluNetwork& subtrahend) {
  const int depth = std::max(minuend.depth(), subtrahend.depth());
  const ReluNetwork a = deepened(minuend, depth), b = deepened(subtrahend, depth);
  ReluNetwork result;
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    const DenseLayer &first = a.layers[l], &second = b.layers[l];
    const bool from_input = l == 0, output = l + 1 == a.layers.size();
    DenseLayer layer(output ? 1 : first.outputs() + second.outputs(),
                     from_input ? 1 : first.inputs() + second.inputs());
    const std::int64_t row = output ? 0 : first.outputs();
    const std::int64_t column = from_input ? 0 : first.inputs();
    const double sign = output ? -1 : 1;
    for (std::int64_t k = 0; k < first.outputs(); ++k) {
      layer.bias[k] += first.bias[k];
      for (std::int64_t j = 0; j < first.inputs(); ++j) layer.w(k, j) += first.w(k, j);
    }
    for (std::int64_t k = 0; k < second.outputs(); ++k) {
      layer.bias[row + k] += sign * second.bias[k];
      for (std::int64_t j = 0; j < second.inputs(); ++j)
        layer.w(row + k, column + j) += sign * second.w(k, j);
    }
    result.layers.push_back(std::move(layer));
  }
  return result;
}

}  // namespace asap::region
