#pragma once

#include <cstdint>

#include "base/random.h"
#include "region/network/relu_network.h"
#include "tensor/core/tensor.h"
#include "tensor/kernels/channel_networks.h"

namespace asap::test {

template <class T>
tensor::Tensor<T> random_matrix(std::int64_t rows, std::int64_t cols, std::uint32_t which,
                                double deviation = 1) {
  tensor::Tensor<T> tensor({rows, cols});
  base::RandomStream random(5, base::RandomPurpose::test, which);
  for (T& value : tensor.flat()) value = static_cast<T>(deviation * random.normal());
  return tensor;
}

/// The network of one channel as ordinary layers.
template <class T>
region::ReluNetwork network_of(int depth, tensor::MatrixView<const T> weights,
                               std::int64_t channel) {
  const tensor::ChannelNetworkLayout at{depth};
  const auto number = [&](int row) { return static_cast<double>(weights(row, channel)); };
  region::ReluNetwork network;
  for (int layer = 0; layer <= depth; ++layer) {
    region::DenseLayer dense(layer == depth ? 1 : 4, layer == 0 ? 1 : 4);
    for (int out = 0; out < dense.outputs(); ++out) {
      for (int in = 0; in < dense.inputs(); ++in)
        dense.w(out, in) = number(layer == 0       ? at.first_weight(out)
                                  : layer == depth ? at.last_weight(in)
                                                   : at.weight(layer, out, in));
      dense.bias[static_cast<std::size_t>(out)] = number(layer == 0       ? at.first_bias(out)
                                                         : layer == depth ? at.last_bias()
                                                                          : at.bias(layer, out));
    }
    network.layers.push_back(dense);
  }
  return network;
}

}  // namespace asap::test
