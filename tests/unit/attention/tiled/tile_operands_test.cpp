#include "attention/tiled/tile_operands.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "attention/tiled/tile_layout.h"
#include "unit/attention/tiled/tiled_cases.h"

using namespace asap::test;

namespace {

constexpr std::int64_t kTokens[] = {1, 15, 16, 49, 96, 112, 113, 196, 260};
constexpr std::int64_t kDirections[] = {1, 3, 8, 17};

/// Largest distance of out_pi from directions_p . (factor token_i - mean), in double.
double error_of(MatrixView<const float> out, const Tensor<float>& directions,
                const Tensor<float>& tokens, double factor, const std::vector<float>& mean) {
  double worst = 0;
  for (std::int64_t p = 0; p < directions.rows().rows; ++p)
    for (std::int64_t i = 0; i < tokens.rows().rows; ++i) {
      double expected = 0;
      for (std::int64_t d = 0; d < tokens.rows().cols; ++d)
        expected += static_cast<double>(directions.rows()(p, d)) *
                    (factor * tokens.rows()(i, d) - mean[static_cast<std::size_t>(d)]);
      worst = std::max(worst, std::abs(out(p, i) - expected));
    }
  return worst;
}

}  // namespace

TEST_CASE("tokens and packed keys are projected as their definition says") {
  constexpr float kFactor = 0.7f;
  for (const std::int64_t width : {4, 20, 32, 33})
    for (const std::int64_t count : kTokens)
      for (const std::int64_t directions : kDirections) {
        CAPTURE(width);
        CAPTURE(count);
        CAPTURE(directions);
        const Tensor<float> tokens = cast<float>(random_tensor(count, width, 11, 1)),
                            lines = cast<float>(random_tensor(directions, width, 12, 1));
        const Tensor<float> drawn = cast<float>(random_tensor(1, width, 13, 1));
        const std::vector<float> mean(drawn.flat().begin(), drawn.flat().end()),
            zero(static_cast<std::size_t>(width), 0.0f);
        const std::int64_t padded = round_up(count, kTilePadding);
        Tensor<float> out({directions, padded}), packed({padded, width});
        Arena scratch;
        project_tokens(tokens.rows(), lines.rows(), out.rows(), scratch);
        CHECK(error_of(out.rows(), lines, tokens, 1, zero) < 2e-5);
        pack_keys(tokens.rows(), kFactor, mean, packed.data());
        project_keys(packed.data(), count, lines.rows(), out.rows());
        CHECK(error_of(out.rows(), lines, tokens, kFactor, mean) < 2e-5);
      }
}
