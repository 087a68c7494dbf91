// The tiled form of the compiled operator.
#include <doctest/doctest.h>

#include "attention/compiled/compiled_attention.h"
#include "attention/stored/sinkhorn_attention.h"
#include "support/share.h"
#include "unit/attention/tiled/tiled_cases.h"

using namespace asap::test;

namespace {

/// Compares the tiled form, which must stay in the exp domain, with the plain one in double. map:
/// one of tiled_cases.h.
template <class AnyMap>
void check_against_plain(const Case& c, const AnyMap& map, int extra, const SweepOptions& way,
                         double limit) {
  Arena arena, arena64;
  Tensor<float> output = c.output();
  Tensor<double> expected = c.output64();
  const TiledEvidence evidence =
      tiled_compiled_attention(map.map32(), c.head(), extra, way, output.rows(), arena);
  compiled_attention<double>(map.map64(), c.head64(), extra, expected.rows(), arena64);
  CHECK(!evidence.log_domain);
  CHECK(largest_difference(output, expected) < limit);
}

}  // namespace

TEST_CASE("the tiled compiled operator equals the plain form in double for every storage") {
  for_each_case<int>(
      {0, 1}, [&](const Case& c, double deviation, int extra, const SweepOptions& way) {
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", +" << extra);
        check_against_plain(c, Map(4, c.sizes.width), extra, way, 10 * tolerance(deviation, way));
      });
}

TEST_CASE("corrected iterations, first duals and landmarks equal the plain form in double") {
  const std::vector<std::pair<int, int>> maps{{0, 0}, {0, 6}, {1, 0}, {1, 6}, {3, 0}, {3, 6}};
  for_each_case(maps, [&](const Case& c, double deviation, const std::pair<int, int>& map_sizes,
                          const SweepOptions& way) {
    const int corrections = map_sizes.first, prototypes = map_sizes.second;
    INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", corrections "
                   << corrections << ", landmarks " << prototypes);
    check_against_plain(c, CorrectedMap(corrections, prototypes, c.sizes.width),
                        corrections == 1 ? 1 : 0, way, 20 * tolerance(deviation, way));
  });
}

TEST_CASE("relaxed iterations from the teacher's start equal the plain form in double") {
  for_each_case<int>(
      {1, 2, 4}, [&](const Case& c, double deviation, int corrections, const SweepOptions& way) {
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", corrections "
                       << corrections);
        check_against_plain(c, RelaxedMap(corrections), corrections == 2 ? 1 : 0, way,
                            20 * tolerance(deviation, way));
      });
}

TEST_CASE("relaxed iterations without weights are the teacher's loop") {
  Arena arena, arena64;
  for_each_case<int>(
      {1, 3}, [&](const Case& c, double deviation, int corrections, const SweepOptions& way) {
        const RelaxedMap map(corrections, 0);
        Tensor<float> output = c.output();
        Tensor<double> expected = c.output64();
        tiled_compiled_attention(map.map32(), c.head(), 0, way, output.rows(), arena);
        const ArenaScope scope(arena64);
        sinkhorn_attention<double>(c.head64(), corrections + 1, expected.rows(), arena64);
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", corrections "
                       << corrections);
        CHECK(largest_difference(output, expected) < 20 * tolerance(deviation, way));
      });
}

TEST_CASE("relaxed iterations that leave the range of float are computed again, and right") {
  // Weights that throw the dual hundreds of units away.
  const Case c({40, 50, 16, 16}, 2);
  RelaxedMap map(2);
  map.weights = {-300.0, 5.0, 0.5};
  map.weights32 = {-300.0f, 5.0f, 0.5f};
  Arena arena, arena64;
  Tensor<double> expected = c.output64();
  compiled_attention<double>(map.map64(), c.head64(), 0, expected.rows(), arena64);
  for (const SweepOptions& way : kWays) {
    if (way.precision != ProductPrecision::single || way.storage == GibbsStorage::bfloat16)
      continue;
    Tensor<float> output = c.output();
    tiled_compiled_attention(map.map32(), c.head(), 0, way, output.rows(), arena);
    CHECK(largest_difference(output, expected) < 2e-2);
  }
}

TEST_CASE("a first dual whose sums leave the range of float is computed again, row by row") {
  // The mean query prefers key 0 by hundreds of units, and many queries are as far from it.
  Case c({40, 50, 16, 16}, 0.3, 0);
  for (std::int64_t i = 0; i < 40; ++i)
    c.q.rows()(i, 0) = 400, c.q.rows()(i, 1) = 0.7f * static_cast<float>(i - 20);
  for (std::int64_t j = 0; j < 50; ++j)
    c.k.rows()(j, 0) = j == 0 ? 4 : -0.2f, c.k.rows()(j, 1) = j == 0 ? 25 : -0.5f;
  c.q64 = Case::widen(c.q);
  c.k64 = Case::widen(c.k);
  CorrectedMap map(0, 0, 16);
  map.weights = {0.0, 0.0, 0.015625};
  map.weights32 = {0.0f, 0.0f, 0.015625f};
  Arena arena, arena64;
  Tensor<double> expected = c.output64();
  compiled_attention<double>(map.map64(), c.head64(), 0, expected.rows(), arena64);
  for (const SweepOptions& way : kWays) {
    if (way.precision != ProductPrecision::single || way.storage == GibbsStorage::bfloat16)
      continue;
    Tensor<float> output = c.output();
    CHECK(
        !tiled_compiled_attention(map.map32(), c.head(), 0, way, output.rows(), arena).log_domain);
    CHECK(largest_difference(output, expected) < 2e-3);
  }
}

TEST_CASE("a row dual known beforehand is closed in one pass, to the plain form in double") {
  Arena arena, arena64;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.5, 2.0})
      for (const ProductPrecision precision : kPrecisions) {
        const Case c(sizes, deviation);
        const Map map(4, c.sizes.width);
        Tensor<float> output = c.output();
        Tensor<double> expected = c.output64();
        const SweepOptions way{.precision = precision};
        const TiledEvidence evidence =
            tiled_compiled_attention(map.known32(), c.head(), 0, way, output.rows(), arena);
        compiled_attention<double>(map.known64(), c.head64(), 0, expected.rows(), arena64);
        const bool bfloat16 = precision == ProductPrecision::bfloat16;
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation
                       << ", bfloat16: " << bfloat16);
        CHECK(!evidence.repeated);
        CHECK(!evidence.log_domain);
        CHECK(largest_difference(output, expected) < 10 * tolerance(deviation, way));
      }
}

TEST_CASE("without features the one pass closes f = 0") {
  Arena arena, arena64;
  const Case c({97, 130, 20, 40}, 1.5);
  Tensor<float> output = c.output();
  Tensor<double> expected = c.output64();
  CHECK(!tiled_compiled_attention({}, c.head(), 0, {}, output.rows(), arena).repeated);
  compiled_attention<double>({}, c.head64(), 0, expected.rows(), arena64);
  CHECK(largest_difference(output, expected) < 10 * tolerance(1.5));
}

TEST_CASE("a row dual too wide for one shift is computed again, and right") {
  const Case c({60, 70, 16, 16}, 1);
  Map map(4, 16);
  DualMap<float> steep = map.map32();
  DualMap<double> steep64 = map.map64();
  steep.features = steep64.features = {
      .potential = false, .gaussian = false, .tilt = false, .log_sum_exp = false};
  // Hundreds of units between the rows: the dual's own rounding is 1e-4.
  const std::vector<float> weights(4, 60.0f);
  const std::vector<double> weights64(4, 60.0);
  steep.weights = weights;
  steep64.weights = weights64;
  Arena arena, arena64;
  Tensor<double> expected = c.output64();
  compiled_attention<double>(steep64, c.head64(), 0, expected.rows(), arena64);
  for (const SweepOptions& way : kWays) {
    if (way.precision != ProductPrecision::single || way.storage == GibbsStorage::bfloat16)
      continue;
    Tensor<float> output = c.output();
    CHECK(tiled_compiled_attention(steep, c.head(), 0, way, output.rows(), arena).repeated);
    CHECK(largest_difference(output, expected) < 2e-3);
  }
}

TEST_CASE("NaN among the scores or in the row dual never passes the one pass unseen") {
  const Map map(4, 16);
  Arena arena;
  for (const bool in_queries : {true, false}) {
    Case c({40, 50, 16, 16}, 1);
    (in_queries ? c.q : c.k).flat()[100] = std::nanf("");
    Tensor<float> output = c.output();
    CHECK(tiled_compiled_attention(map.known32(), c.head(), 0, {}, output.rows(), arena).repeated);
  }
}
