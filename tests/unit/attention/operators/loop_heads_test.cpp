#include "attention/operators/loop_heads.h"

#include <doctest/doctest.h>

using namespace asap::attention;

TEST_CASE("every head is the loop with its own scale and slack") {
  const std::vector<std::vector<float>> scales{{0.5f, 0.25f}, {2.0f}}, slacks{{1.0f, 0.0f}, {3.0f}};
  const auto heads = loop_heads(7, scales, slacks);
  REQUIRE(heads.size() == 2);
  for (std::size_t layer = 0; layer < heads.size(); ++layer) {
    REQUIRE(heads[layer].size() == scales[layer].size());
    for (std::size_t h = 0; h < heads[layer].size(); ++h) {
      CHECK(heads[layer][h].mode == CompiledMode::sinkhorn);
      CHECK(heads[layer][h].iterations == 7);
      CHECK(heads[layer][h].score_scale == scales[layer][h]);
      CHECK(heads[layer][h].slack == slacks[layer][h]);
      CHECK(loop_heads(7, scales, {})[layer][h].slack == 0);
    }
  }
}
