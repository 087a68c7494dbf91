#include "attention/operators/loop_heads.h"

namespace asap::attention {

std::vector<std::vector<CompiledHead>> loop_heads(
    int iterations, const std::vector<std::vector<float>>& score_scales,
    const std::vector<std::vector<float>>& slacks) {
  std::vector<std::vector<CompiledHead>> heads;
  for (std::size_t layer = 0; layer < score_scales.size(); ++layer) {
    heads.emplace_back();
    for (std::size_t h = 0; h < score_scales[layer].size(); ++h)
      heads.back().push_back({.mode = CompiledMode::sinkhorn,
                              .score_scale = score_scales[layer][h],
                              .slack = slacks.empty() ? 0.0f : slacks[layer][h],
                              .iterations = iterations});
  }
  return heads;
}

}  // namespace asap::attention
