#pragma once

#include "tensor/kernels/channel_networks.h"

namespace asap::tensor {

/// What channel_networks.cpp compiles once per instruction set.
template <class T>
struct ChannelNetworksKernelSet {
  void (*forward)(int depth, MatrixView<const T> x, MatrixView<const T> weights, MatrixView<T> out);
  void (*vjp)(int depth, const ChannelNetworksVjp<T>& pass);
};

}  // namespace asap::tensor
