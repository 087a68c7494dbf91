#include "region/network/export_fixed_point.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"
#include "support/folded_functions.h"

namespace asap::test {
namespace {

region::PiecewiseLinear pieces_of_stream(std::uint32_t stream) {
  const region::FoldedFunction function = random_function(4, 2, 3, stream);
  return region::pieces_of(region::to_network(function), function.interval());
}

TEST_CASE("no input of Q15 leaves the pieces by more than the certified error") {
  for (std::uint32_t stream = 0; stream < 4; ++stream) {
    const region::PiecewiseLinear pieces = pieces_of_stream(stream);
    const region::FixedPieces fixed = region::to_fixed_point(pieces, 15);
    double most = 0;
    for (std::int64_t q = -32768; q <= 32767; ++q)
      most = std::max(most, std::abs(fixed.output.value(fixed(q)) - pieces(fixed.input.value(q))));
    CHECK(most <= fixed.error);
    // Knots move by half a step of the input, values by half a step of the output.
    CHECK(fixed.error < 1.3 * most);
  }
}

TEST_CASE("Q31 is as good as its certified error at random inputs") {
  const region::PiecewiseLinear pieces = pieces_of_stream(9);
  const region::FixedPieces fixed = region::to_fixed_point(pieces, 31);
  base::RandomStream random(1, base::RandomPurpose::test);
  double most = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto q = static_cast<std::int64_t>(random.below(std::uint64_t{1} << 32)) - (1LL << 31);
    most = std::max(most, std::abs(fixed.output.value(fixed(q)) - pieces(fixed.input.value(q))));
  }
  CHECK(most <= fixed.error);
  CHECK(fixed.error < 1e-7);
}

TEST_CASE("fixed point covers the interval and the range exactly") {
  const region::PiecewiseLinear line{{-3, 5}, {7, -9}};
  for (const int bits : {15, 31}) {
    const region::FixedPieces fixed = region::to_fixed_point(line, bits);
    CHECK(fixed.x.front() == fixed.input.lowest());
    CHECK(fixed.x.back() == fixed.input.highest());
    CHECK(fixed(fixed.input.lowest()) == fixed.output.highest());
    CHECK(fixed(fixed.input.highest()) == fixed.output.lowest());
    CHECK(fixed.input.value(fixed.input.highest()) == doctest::Approx(5));
    CHECK(fixed.error < 1.001 * fixed.output.step());
  }
  CHECK(contains(region::export_fixed_point(region::to_fixed_point(line, 15), "curve", ""),
                 "static inline int16_t curve(int16_t x)"));
  CHECK_THROWS_AS(region::export_fixed_point(region::to_fixed_point(line, 15), "2x", ""),
                  base::UsageError);
}

}  // namespace
}  // namespace asap::test
