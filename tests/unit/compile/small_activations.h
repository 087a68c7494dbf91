#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "compile/activations.h"

namespace asap::test {

struct Sizes {
  std::int64_t examples = 12, heads = 2, queries = 14, keys = 10, width = 6;
};

/// Tokens of a head share a random linear structure, so that there is something to learn across
/// examples.
inline compile::Activations random_activations(const Sizes& sizes, int layers, int iterations,
                                               std::uint32_t id = 0) {
  compile::Activations out;
  out.examples = sizes.examples;
  out.heads = sizes.heads;
  out.iterations = iterations;
  out.source = "test";
  base::RandomStream random(41, base::RandomPurpose::test, id);
  const std::int64_t columns = sizes.heads * sizes.width;
  const auto tokens = [&](std::int64_t count) {
    tensor::Tensor<float> values({sizes.examples * count, columns});
    for (std::int64_t i = 0; i < values.shape()[0]; ++i)
      for (std::int64_t d = 0; d < columns; ++d)
        values.rows()(i, d) = static_cast<float>(
            0.2 * static_cast<double>(d % 3) +
            random.normal() * (1.5 - 0.2 * static_cast<double>(d % sizes.width)));
    return values;
  };
  for (int layer = 0; layer < layers; ++layer)
    out.layers.push_back({tokens(sizes.queries), tokens(sizes.keys), tokens(sizes.keys),
                          std::vector<double>(sizes.heads, 0.4)});
  return out;
}

inline compile::CompileConfig small_config() {
  compile::CompileConfig config;
  config.slices = 3;
  config.features = {"pot", "gau", "lin", "tilt", "lse"};
  config.calibration = 8;
  config.held_out = 4;
  return config;
}

}  // namespace asap::test
