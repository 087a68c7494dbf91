#include "attention/tiled/tiled_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/compiled/compiled_attention.h"
#include "attention/compiled/key_bias.h"
#include "attention/stored/sinkhorn_attention.h"
#include "attention/stored/softmax_attention.h"
#include "base/random.h"
#include "support/share.h"
#include "tensor/core/tensor.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;
using namespace asap::test;

namespace {

struct Sizes {
  std::int64_t n, m, width, value_width;
};
// One token, fewer than a block, whole blocks, ragged blocks, queries and keys of different number.
const Sizes kSizes[] = {{1, 1, 4, 4},       {3, 2, 8, 5},      {49, 49, 32, 32},
                        {24, 96, 16, 16},   {97, 130, 20, 40}, {196, 196, 32, 32},
                        {250, 203, 64, 64}, {401, 500, 33, 70}};

Tensor<double> random_tensor(std::int64_t rows, std::int64_t cols, std::uint32_t which,
                             double deviation, double mean = 0) {
  Tensor<double> out({rows, cols});
  RandomStream random(5, RandomPurpose::test, which);
  for (double& value : out.flat()) value = mean + deviation * random.normal();
  return out;
}

template <class T>
Tensor<T> cast(const Tensor<double>& from) {
  Tensor<T> out(from.shape());
  for (std::size_t i = 0; i < from.flat().size(); ++i)
    out.flat()[i] = static_cast<T>(from.flat()[i]);
  return out;
}

/// One head in float, and the same numbers in double.
struct Case {
  Tensor<float> q, k, v;
  Tensor<double> q64, k64, v64;
  double scale;
  Sizes sizes;

  Case(const Sizes& s, double deviation, double mean = 0.3)
      : q(cast<float>(random_tensor(s.n, s.width, 1, deviation, mean))),
        k(cast<float>(random_tensor(s.m, s.width, 2, deviation, -mean))),
        v(cast<float>(random_tensor(s.m, s.value_width, 3, 1))),
        q64(widen(q)),
        k64(widen(k)),
        v64(widen(v)),
        scale(1 / std::sqrt(static_cast<double>(s.width))),
        sizes(s) {}

  static Tensor<double> widen(const Tensor<float>& from) {
    Tensor<double> out(from.shape());
    for (std::size_t i = 0; i < from.flat().size(); ++i) out.flat()[i] = from.flat()[i];
    return out;
  }
  AttentionHead<float> head() const {
    return {q.rows(), k.rows(), v.rows(), static_cast<float>(scale)};
  }
  AttentionHead<double> head64() const { return {q64.rows(), k64.rows(), v64.rows(), scale}; }
  Tensor<float> output() const { return Tensor<float>({sizes.n, sizes.value_width}); }
  Tensor<double> output64() const { return Tensor<double>({sizes.n, sizes.value_width}); }
};

double largest_difference(const Tensor<float>& a, const Tensor<double>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.flat().size(); ++i) {
    const double difference = std::abs(a.flat()[i] - b.flat()[i]);
    if (!(difference <= worst)) worst = difference;  // lets NaN through
  }
  return worst;
}

/// Scores of size s have an error of s epsilon in float, which their exponentials turn into a
/// relative one; the values are of size 1.
double tolerance(double deviation) { return 1e-6 * (4 + 40 * deviation * deviation); }

constexpr SweepOptions kWays[] = {
    {.storage = GibbsStorage::recompute},
    {.storage = GibbsStorage::single},
    {.storage = GibbsStorage::bfloat16},
    {.storage = GibbsStorage::recompute, .precision = ProductPrecision::bfloat16},
    {.storage = GibbsStorage::single, .precision = ProductPrecision::bfloat16},
    {.storage = GibbsStorage::bfloat16, .precision = ProductPrecision::bfloat16},
};

/// Plan entries and values in bfloat16 are right to 2^-9; a row of the plan sums to 1. Where scores
/// are rounded, too, their error is 2^-9 of their size, which grows with the square of the
/// deviation.
double tolerance(double deviation, const SweepOptions& way) {
  const bool bfloat16 = way.precision == ProductPrecision::bfloat16;
  if (bfloat16 && way.storage == GibbsStorage::recompute)
    return 1e-2 + 1.5e-2 * deviation * deviation;
  return tolerance(deviation) + (bfloat16                                ? 1.2e-2
                                 : way.storage == GibbsStorage::bfloat16 ? 6e-3
                                                                         : 0);
}

}  // namespace

TEST_CASE("tiled softmax attention equals the plain form in double, flat and sharp") {
  Arena arena, arena64;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.3, 1.0, 3.0}) {
      const Case c(sizes, deviation);
      Tensor<float> output = c.output();
      Tensor<double> expected = c.output64();
      CHECK(!tiled_softmax_attention(c.head(), 1, output.rows(), arena).log_domain);
      softmax_attention<double>(c.head64(), expected.rows(), arena64);
      INFO(sizes.n << " x " << sizes.m << ", deviation " << deviation);
      CHECK(largest_difference(output, expected) < tolerance(deviation));
    }
}

TEST_CASE("tiled Sinkhorn attention equals the plain form in double for every storage") {
  Arena arena, arena64;
  std::int64_t index = 0;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.5, 2.0})
      for (const int iterations : {0, 1, 2, 10})
        for (const SweepOptions& way : kWays) {
          if (!asap::test::in_share(index++)) continue;
          const Case c(sizes, deviation);
          Tensor<float> output = c.output();
          Tensor<double> expected = c.output64();
          const TiledEvidence evidence =
              tiled_sinkhorn_attention(c.head(), iterations, way, output.rows(), arena);
          sinkhorn_attention<double>(c.head64(), iterations, expected.rows(), arena64);
          INFO(sizes.n << " x " << sizes.m << ", deviation " << deviation
                       << ", T = " << iterations);
          CHECK(!evidence.log_domain);
          CHECK(largest_difference(output, expected) < 10 * tolerance(deviation, way));
        }
}

namespace {

/// A dual map with every feature and weights of the size of fitted ones.
struct Map {
  Tensor<double> a, b;
  Tensor<float> a32, b32;
  std::vector<double> weights;
  std::vector<float> weights32;

  Map(std::int64_t slices, std::int64_t width)
      : a(random_tensor(slices, width, 7, 1 / std::sqrt(width))),
        b(random_tensor(slices, width, 8, 1 / std::sqrt(width))),
        a32(cast<float>(a)),
        b32(cast<float>(b)) {
    RandomStream random(5, RandomPurpose::test, 9);
    for (std::int64_t p = 0; p < DualFeatures().count(slices); ++p) {
      weights32.push_back(static_cast<float>(0.3 * random.normal()));
      weights.push_back(weights32.back());
    }
    weights.back() = weights32.back() = 0.5f;
    for (std::size_t i = 0; i < a.flat().size(); ++i) {
      a.flat()[i] = a32.flat()[i];
      b.flat()[i] = b32.flat()[i];
    }
  }
  DualMap<float> map32() const { return {DualFeatures(), a32.rows(), b32.rows(), weights32}; }
  DualMap<double> map64() const { return {DualFeatures(), a.rows(), b.rows(), weights}; }
  /// Without the last feature, log_sum_exp.
  DualMap<float> known32() const {
    DualMap<float> map = map32();
    map.features.log_sum_exp = false;
    map.weights = map.weights.first(weights.size() - 1);
    return map;
  }
  DualMap<double> known64() const {
    DualMap<double> map = map64();
    map.features.log_sum_exp = false;
    map.weights = map.weights.first(weights.size() - 1);
    return map;
  }
};

/// A dual map that starts from the scores and corrects its iterations.
struct CorrectedMap {
  DualFeatures features{};
  Tensor<double> landmarks;
  Tensor<float> landmarks32;
  std::vector<double> weights;
  std::vector<float> weights32;

  CorrectedMap(int corrections, int prototypes, std::int64_t width)
      : landmarks(random_tensor(prototypes, width, 11, 0.5)), landmarks32(cast<float>(landmarks)) {
    features = DualFeatures::none();
    features.tilt = features.log_sum_exp = features.first_dual = true;
    features.landmarks = prototypes;
    features.corrections = corrections;
    for (std::size_t i = 0; i < landmarks.flat().size(); ++i)
      landmarks.flat()[i] = landmarks32.flat()[i];
    RandomStream random(5, RandomPurpose::test, 12);
    for (std::int64_t p = 0; p < features.weight_count(0); ++p) {
      weights32.push_back(static_cast<float>(0.2 * random.normal()));
      weights.push_back(weights32.back());
    }
  }
  DualMap<float> map32() const { return {features, {}, {}, weights32, {landmarks32.rows(), 5}}; }
  DualMap<double> map64() const { return {features, {}, {}, weights, {landmarks.rows(), 5}}; }
};

/// A key bias of the tilt and of six landmarks.
struct KeyLandmarks : CorrectedMap {
  explicit KeyLandmarks(std::int64_t width) : CorrectedMap(0, 6, width) {
    features.log_sum_exp = features.first_dual = false;
    weights = {0.5, 0.75};
    weights32 = {0.5f, 0.75f};
  }
  DualMap<float> map32() const {
    return {features, {}, {}, weights32, {landmarks32.rows(), 5, true}};
  }
  DualMap<double> map64() const { return {features, {}, {}, weights, {landmarks.rows(), 5, true}}; }
};

constexpr ProductPrecision kPrecisions[] = {ProductPrecision::single, ProductPrecision::bfloat16};

}  // namespace

TEST_CASE("the tiled compiled operator equals the plain form in double for every storage") {
  Arena arena, arena64;
  std::int64_t index = 0;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.5, 2.0})
      for (const int extra : {0, 1})
        for (const SweepOptions& way : kWays) {
          if (!asap::test::in_share(index++)) continue;
          const Case c(sizes, deviation);
          const Map map(4, sizes.width);
          Tensor<float> output = c.output();
          Tensor<double> expected = c.output64();
          const TiledEvidence evidence =
              tiled_compiled_attention(map.map32(), c.head(), extra, way, output.rows(), arena);
          compiled_attention<double>(map.map64(), c.head64(), extra, expected.rows(), arena64);
          INFO(sizes.n << " x " << sizes.m << ", deviation " << deviation << ", +" << extra);
          CHECK(!evidence.log_domain);
          CHECK(largest_difference(output, expected) < 10 * tolerance(deviation, way));
        }
}

TEST_CASE("corrected iterations, first duals and landmarks equal the plain form in double") {
  Arena arena, arena64;
  std::int64_t index = 0;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.5, 2.0})
      for (const int corrections : {0, 1, 3})
        for (const int prototypes : {0, 6})
          for (const SweepOptions& way : kWays) {
            if (!asap::test::in_share(index++)) continue;
            const Case c(sizes, deviation);
            const CorrectedMap map(corrections, prototypes, sizes.width);
            const int extra = corrections == 1 ? 1 : 0;
            Tensor<float> output = c.output();
            Tensor<double> expected = c.output64();
            const TiledEvidence evidence =
                tiled_compiled_attention(map.map32(), c.head(), extra, way, output.rows(), arena);
            compiled_attention<double>(map.map64(), c.head64(), extra, expected.rows(), arena64);
            INFO(sizes.n << " x " << sizes.m << ", deviation " << deviation << ", corrections "
                         << corrections << ", landmarks " << prototypes);
            CHECK(!evidence.log_domain);
            CHECK(largest_difference(output, expected) < 20 * tolerance(deviation, way));
          }
}

TEST_CASE("a certificate is the column error of the plain plan, and leaves the output as it is") {
  Arena arena, arena64;
  std::int64_t index = 0;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.5, 2.0})
      for (const SweepOptions& way : kWays) {
        if (!asap::test::in_share(index++)) continue;
        const Case c(sizes, deviation);
        const CorrectedMap map(1, 0, sizes.width);
        Tensor<float> output = c.output(), plain = c.output();
        Tensor<double> expected = c.output64();
        const TiledEvidence evidence =
            guarded_tiled_compiled_attention(map.map32(), c.head(), {}, way, output.rows(), arena);
        tiled_compiled_attention(map.map32(), c.head(), 0, way, plain.rows(), arena);
        const double error =
            compiled_attention<double>(map.map64(), c.head64(), 0, expected.rows(), arena64);
        INFO(sizes.n << " x " << sizes.m << ", deviation " << deviation);
        CHECK(!evidence.log_domain);
        CHECK(evidence.certificate.iterations == 0);
        CHECK(std::abs(evidence.certificate.column_error - error) < 20 * tolerance(deviation, way));
        for (std::size_t i = 0; i < output.flat().size(); ++i)
          REQUIRE(output.flat()[i] == plain.flat()[i]);
      }
}

TEST_CASE("a guard iterates as many extra iterations would, until its target or its limit") {
  const Case c({60, 50, 16, 16}, 2);
  const CorrectedMap map(1, 0, 16);
  Arena arena;
  for (const SweepOptions& way : kWays) {
    const auto guarded = [&](const ColumnGuard& guard, Tensor<float>& output) {
      return guarded_tiled_compiled_attention(map.map32(), c.head(), guard, way, output.rows(),
                                              arena)
          .certificate;
    };
    Tensor<float> output = c.output(), plain = c.output();
    const double before = guarded({}, output).column_error;
    const ColumnCertificate three = guarded({0, 0, 3}, output);
    CHECK(three.iterations == 3);
    CHECK(three.column_error < before);
    tiled_compiled_attention(map.map32(), c.head(), 3, way, plain.rows(), arena);
    for (std::size_t i = 0; i < output.flat().size(); ++i)
      CHECK(std::abs(output.flat()[i] - plain.flat()[i]) < 1e-5f);

    CHECK(guarded({2 * before, 0, 3}, output).iterations == 0);
    CHECK(!guarded({2 * before, 0, 3, true}, output).restarted);
    const ColumnCertificate restarted = guarded({0.5 * before, 0, 3, true}, output);
    CHECK(restarted.restarted);
    CHECK(restarted.iterations == 3);
    CHECK(restarted.column_error == before);
    tiled_sinkhorn_attention(c.head(), 3, way, plain.rows(), arena);
    for (std::size_t i = 0; i < output.flat().size(); ++i)
      CHECK(output.flat()[i] == plain.flat()[i]);
    CHECK(guarded_compiled_attention<float>(map.map32(), c.head(), {0.5 * before, 0, 3, true},
                                            output.rows(), arena)
              .restarted);
    for (std::size_t i = 0; i < output.flat().size(); ++i)
      CHECK(std::abs(output.flat()[i] - plain.flat()[i]) < 20 * tolerance(2, way));

    const ColumnCertificate enough = guarded({0, 0.5 * before, 50}, output);
    CHECK(enough.iterations > 0);
    CHECK(enough.iterations < 50);
    CHECK(enough.column_error <= 0.5 * before);
    Arena arena_log;
    const ColumnCertificate reference = guarded_compiled_attention<float>(
        map.map32(), c.head(), {0, 0.5 * before, 50}, output.rows(), arena_log);
    CHECK(reference.column_error <= 0.5 * before);
    CHECK(std::abs(reference.iterations - enough.iterations) <= 1);
  }
}

TEST_CASE("softmax with a key bias equals the plain form in double, with extra iterations too") {
  Arena arena, arena64;
  std::int64_t index = 0;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.5, 2.0})
      for (const int extra : {0, 2})
        for (const SweepOptions& way : kWays) {
          if (!asap::test::in_share(index++)) continue;
          const Case c(sizes, deviation);
          const Map map(4, sizes.width);
          Tensor<float> output = c.output();
          Tensor<double> expected = c.output64();
          const TiledEvidence evidence =
              tiled_key_bias_attention(map.known32(), c.head(), extra, way, output.rows(), arena);
          key_bias_attention<double>(map.known64(), c.head64(), extra, expected.rows(), arena64);
          INFO(sizes.n << " x " << sizes.m << ", deviation " << deviation << ", +" << extra);
          CHECK(!evidence.log_domain);
          CHECK(largest_difference(output, expected) < 10 * tolerance(deviation, way));

          const KeyLandmarks landmarks(sizes.width);
          tiled_key_bias_attention(landmarks.map32(), c.head(), extra, way, output.rows(), arena);
          key_bias_attention<double>(landmarks.map64(), c.head64(), extra, expected.rows(),
                                     arena64);
          CHECK(largest_difference(output, expected) < 20 * tolerance(deviation, way));
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
        const Map map(4, sizes.width);
        Tensor<float> output = c.output();
        Tensor<double> expected = c.output64();
        const SweepOptions way{.precision = precision};
        const TiledEvidence evidence =
            tiled_compiled_attention(map.known32(), c.head(), 0, way, output.rows(), arena);
        compiled_attention<double>(map.known64(), c.head64(), 0, expected.rows(), arena64);
        const bool bfloat16 = precision == ProductPrecision::bfloat16;
        INFO(sizes.n << " x " << sizes.m << ", deviation " << deviation
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
    }
  }
}
