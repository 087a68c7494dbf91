#pragma once

#include "tensor/channel_networks.h"

namespace asap {

/// What channel_networks.cpp compiles once per instruction set.
template <class T>
struct ChannelNetworksTable {
  void (*forward)(int depth, MatrixView<const T> x, MatrixView<const T> weights, MatrixView<T> out);
  void (*vjp)(int depth, const ChannelNetworksVjp<T>& pass);
};

}  // namespace asap
