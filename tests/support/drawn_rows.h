#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "region/target/rows.h"

namespace asap::test {

inline region::NamedRows drawn(const char* formula, std::int64_t rows, std::uint32_t stream) {
  return {{"x", "y"}, "f", region::sample_formula(formula, {"x", "y"}, {-1, 1}, rows, 1, stream)};
}

/// The network written out in plain loops.
inline double naive(const region::ReluNetwork& network, std::vector<double> h) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const region::DenseLayer& layer = network.layers[l];
    std::vector<double> next;
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      double z = layer.bias[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < layer.inputs(); ++j)
        z += layer.w(k, j) * h[static_cast<std::size_t>(j)];
      next.push_back(l + 1 < network.layers.size() ? std::max(z, 0.0) : z);
    }
    h = next;
  }
  return h[0];
}

}  // namespace asap::test
