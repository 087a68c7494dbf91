#pragma once

#include "tensor/kernels/channel_networks.h"

namespace asap::tensor {

/// The channel networks of one instruction set; channel_networks.h says what each computes.
template <class T>
struct ChannelNetworksKernelSet {
  void (*forward)(int depth, MatrixView<const T> x, MatrixView<const T> weights, MatrixView<T> out);
  void (*vjp)(int depth, const ChannelNetworksVjp<T>& pass);
};

}  // namespace asap::tensor
