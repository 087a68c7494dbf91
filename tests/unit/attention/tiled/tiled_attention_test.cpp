#include "attention/tiled/tiled_attention.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "attention/compiled/key_bias.h"
#include "attention/stored/sinkhorn_attention.h"
#include "attention/stored/softmax_attention.h"
#include "support/share.h"
#include "unit/attention/tiled/tiled_cases.h"

using namespace asap::test;

TEST_CASE("tiled softmax attention equals the plain form in double, flat and sharp") {
  Arena arena, arena64;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.3, 1.0, 3.0}) {
      const Case c(sizes, deviation);
      Tensor<float> output = c.output();
      Tensor<double> expected = c.output64();
      CHECK(!tiled_softmax_attention(c.head(), 1, output.rows(), arena).log_domain);
      softmax_attention<double>(c.head64(), expected.rows(), arena64);
      INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation);
      CHECK(largest_difference(output, expected) < tolerance(deviation));
    }
}

TEST_CASE("tiled Sinkhorn attention equals the plain form in double for every storage") {
  Arena arena, arena64;
  for_each_case<int>({0, 1, 2, 10}, [&](const Case& c, double deviation, int iterations,
                                        const SweepOptions& way) {
    Tensor<float> output = c.output();
    Tensor<double> expected = c.output64();
    const TiledEvidence evidence =
        tiled_sinkhorn_attention(c.head(), iterations, way, output.rows(), arena);
    sinkhorn_attention<double>(c.head64(), iterations, expected.rows(), arena64);
    INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", T = " << iterations);
    CHECK(!evidence.log_domain);
    CHECK(largest_difference(output, expected) < 10 * tolerance(deviation, way));
  });
}

TEST_CASE("softmax with a key bias equals the plain form in double, with extra iterations too") {
  Arena arena, arena64;
  for_each_case<int>(
      {0, 2}, [&](const Case& c, double deviation, int extra, const SweepOptions& way) {
        const Map map(4, c.sizes.width);
        Tensor<float> output = c.output();
        Tensor<double> expected = c.output64();
        const TiledEvidence evidence =
            tiled_key_bias_attention(map.known32(), c.head(), extra, way, output.rows(), arena);
        key_bias_attention<double>(map.known64(), c.head64(), extra, expected.rows(), arena64);
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", +" << extra);
        CHECK(!evidence.log_domain);
        CHECK(largest_difference(output, expected) < 10 * tolerance(deviation, way));

        const KeyLandmarks landmarks(c.sizes.width);
        tiled_key_bias_attention(landmarks.map32(), c.head(), extra, way, output.rows(), arena);
        key_bias_attention<double>(landmarks.map64(), c.head64(), extra, expected.rows(), arena64);
        CHECK(largest_difference(output, expected) < 20 * tolerance(deviation, way));
      });
}

TEST_CASE("tiled forms give the same bytes at any number of threads") {
  const Case c(
      {std::max(201, asap::test::share_of(701)), std::max(180, asap::test::share_of(650)), 32, 32},
      1.5);
  const Map map(4, 32);
  const CorrectedMap corrected(2, 6, 32);
  Arena arena;
  for (const SweepOptions& way : kWays) {
    const auto outputs = [&](int threads) {
      SweepOptions options = way;
      options.threads = threads;
      std::vector<Tensor<float>> all(7, c.output());
      tiled_softmax_attention(c.head(), threads, all[0].rows(), arena);
      tiled_sinkhorn_attention(c.head(), 4, options, all[1].rows(), arena);
      tiled_compiled_attention(map.map32(), c.head(), 1, options, all[2].rows(), arena);
      tiled_compiled_attention(map.known32(), c.head(), 0, options, all[3].rows(), arena);
      tiled_compiled_attention(corrected.map32(), c.head(), 0, options, all[4].rows(), arena);
      all[5].flat()[0] =
          static_cast<float>(guarded_tiled_compiled_attention(map.map32(), c.head(), {0, 0, 2},
                                                              options, all[4].rows(), arena)
                                 .certificate.column_error);
      tiled_key_bias_attention(map.known32(), c.head(), 1, options, all[6].rows(), arena);
      return all;
    };
    const auto one = outputs(1);
    for (const int threads : {2, 3, 5}) {
      const auto many = outputs(threads);
      for (int form = 0; form < 7; ++form)
        for (std::size_t i = 0; i < one[form].flat().size(); ++i)
          REQUIRE(one[form].flat()[i] == many[form].flat()[i]);
    }
  }
}

TEST_CASE("scores beyond the range of float are left to the log domain, and stay finite") {
  Case c({40, 50, 16, 16}, 1);
  for (float& value : c.q.flat()) value *= 60;
  for (float& value : c.k.flat()) value *= 60;
  const Map map(4, 16);
  Arena arena;
  for (const SweepOptions& way : kWays) {
    Tensor<float> output = c.output();
    CHECK(tiled_sinkhorn_attention(c.head(), 5, way, output.rows(), arena).log_domain);
    for (const float value : output.flat()) CHECK(std::isfinite(value));
    CHECK(
        tiled_key_bias_attention(map.known32(), c.head(), 0, way, output.rows(), arena).log_domain);
    for (const float value : output.flat()) CHECK(std::isfinite(value));
    for (const DualMap<float>& dual : {map.map32(), map.known32()}) {
      CHECK(tiled_compiled_attention(dual, c.head(), 0, way, output.rows(), arena).log_domain);
      for (const float value : output.flat()) CHECK(std::isfinite(value));
      const TiledEvidence guarded =
          guarded_tiled_compiled_attention(dual, c.head(), {0, 0, 1}, way, output.rows(), arena);
      CHECK(guarded.log_domain);
      CHECK(guarded.certificate.iterations == 1);
      CHECK(std::isfinite(guarded.certificate.column_error));
      const TiledEvidence bounded =
          bounded_tiled_compiled_attention(dual, c.head(), way, output.rows(), arena);
      CHECK(bounded.log_domain);
      CHECK(std::isfinite(bounded.certificate.column_error));
    }
  }
}
