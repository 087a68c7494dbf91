#pragma once

#include "region/network/relu_network.h"

namespace asap::test {

inline region::ReluNetwork small_network() {
  region::ReluNetwork network;
  region::DenseLayer first(2, 1), second(1, 2);
  first.w(0, 0) = 1.5;
  first.w(1, 0) = -0.1;
  first.bias = {0.25, 1};
  second.w(0, 0) = 2;
  second.w(0, 1) = -1.0 / 3;
  second.bias = {0.7};
  network.layers = {first, second};
  return network;
}

}  // namespace asap::test
