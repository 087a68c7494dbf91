// Slack in the tiled forms: the loop and the compiled operator.
#include "attention/tiled/slack_columns.h"

#include <doctest/doctest.h>

#include "attention/compiled/compiled_attention.h"
#include "attention/stored/sinkhorn_attention.h"
#include "unit/attention/tiled/tiled_cases.h"

using namespace asap::test;

namespace {

constexpr double kSlacks[] = {0.1, 2.0, 30.0};

AttentionHead<float> with_slack(AttentionHead<float> head, double slack) {
  head.slack = static_cast<float>(slack);
  return head;
}

AttentionHead<double> with_slack(AttentionHead<double> head, double slack) {
  head.slack = static_cast<float>(slack);
  return head;
}

}  // namespace

TEST_CASE("the tiled loop with slack equals the stored one in double for every storage") {
  Arena arena, arena64;
  const std::vector<double> slacks(std::begin(kSlacks), std::end(kSlacks));
  for_each_case(
      slacks, [&](const Case& c, double deviation, double slack, const SweepOptions& way) {
        Tensor<float> output = c.output();
        Tensor<double> expected = c.output64();
        const TiledEvidence evidence =
            tiled_sinkhorn_attention(with_slack(c.head(), slack), 4, way, output.rows(), arena);
        const ArenaScope scope(arena64);
        sinkhorn_attention<double>(with_slack(c.head64(), slack), 4, expected.rows(), arena64);
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", c = " << slack);
        CHECK(!evidence.log_domain);
        CHECK(largest_difference(output, expected) < 10 * tolerance(deviation, way));
      });
}

TEST_CASE("the tiled compiled operator with slack equals the plain form in double") {
  Arena arena, arena64;
  const std::vector<std::pair<int, double>> cases{{0, 0.1}, {0, 2.0}, {2, 2.0}, {2, 30.0}};
  for_each_case(cases, [&](const Case& c, double deviation, const std::pair<int, double>& one,
                           const SweepOptions& way) {
    const int corrections = one.first;
    const double slack = one.second;
    const CorrectedMap corrected(corrections, 0, c.sizes.width);
    const Map known(4, c.sizes.width);
    const DualMap<float> map = corrections > 0 ? corrected.map32() : known.known32();
    const DualMap<double> map64 = corrections > 0 ? corrected.map64() : known.known64();
    const int extra = corrections > 0 ? 1 : 0;
    Tensor<float> output = c.output();
    Tensor<double> expected = c.output64();
    const TiledEvidence evidence = tiled_compiled_attention(map, with_slack(c.head(), slack), extra,
                                                            way, output.rows(), arena);
    compiled_attention<double>(map64, with_slack(c.head64(), slack), extra, expected.rows(),
                               arena64);
    INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", corrections "
                   << corrections << ", c = " << slack);
    CHECK(!evidence.log_domain);
    CHECK(largest_difference(output, expected) < 20 * tolerance(deviation, way));
  });
}

TEST_CASE("relaxed iterations with slack equal the plain form in double") {
  Arena arena, arena64;
  for_each_case<double>(
      {0.1, 2.0}, [&](const Case& c, double deviation, double slack, const SweepOptions& way) {
        const RelaxedMap map(2);
        Tensor<float> output = c.output();
        Tensor<double> expected = c.output64();
        tiled_compiled_attention(map.map32(), with_slack(c.head(), slack), 0, way, output.rows(),
                                 arena);
        compiled_attention<double>(map.map64(), with_slack(c.head64(), slack), 0, expected.rows(),
                                   arena64);
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", c = " << slack);
        CHECK(largest_difference(output, expected) < 20 * tolerance(deviation, way));
      });
}

TEST_CASE("with slack, threads do not change a byte") {
  const Case c({250, 203, 64, 64}, 1);
  const CorrectedMap map(1, 0, 64);
  Arena arena;
  for (SweepOptions way : kWays) {
    Tensor<float> one = c.output(), three = c.output(), loop = c.output(), loops = c.output();
    const AttentionHead<float> head = with_slack(c.head(), 1);
    tiled_compiled_attention(map.map32(), head, 0, way, one.rows(), arena);
    tiled_sinkhorn_attention(head, 3, way, loop.rows(), arena);
    way.threads = 3;
    tiled_compiled_attention(map.map32(), head, 0, way, three.rows(), arena);
    tiled_sinkhorn_attention(head, 3, way, loops.rows(), arena);
    CHECK(std::ranges::equal(one.flat(), three.flat()));
    CHECK(std::ranges::equal(loop.flat(), loops.flat()));
  }
}

TEST_CASE("the closure of a converged dual is the converged plan with slack") {
  const Case c({40, 30, 16, 16}, 1);
  Arena arena;
  for (const double slack : kSlacks) {
    // 300 iterations of the closure from f = 0 against 300 of the loop.
    Tensor<double> closed = c.output64(), loop = c.output64();
    compiled_attention<double>({}, with_slack(c.head64(), slack), 300, closed.rows(), arena);
    sinkhorn_attention<double>(with_slack(c.head64(), slack), 300, loop.rows(), arena);
    for (std::int64_t i = 0; i < closed.size(); ++i)
      CHECK(closed[i] == doctest::Approx(loop[i]).epsilon(1e-8));
  }
}
