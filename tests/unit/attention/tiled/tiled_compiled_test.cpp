// The tiled form of the compiled operator, its certificate and its guard.
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

TEST_CASE("a certificate is the column error of the plain plan, and leaves the output as it is") {
  Arena arena, arena64;
  for_each_case<int>({0}, [&](const Case& c, double deviation, int, const SweepOptions& way) {
    const CorrectedMap map(1, 0, c.sizes.width);
    Tensor<float> output = c.output(), plain = c.output();
    Tensor<double> expected = c.output64();
    const TiledEvidence evidence =
        guarded_tiled_compiled_attention(map.map32(), c.head(), {}, way, output.rows(), arena);
    tiled_compiled_attention(map.map32(), c.head(), 0, way, plain.rows(), arena);
    const double error =
        compiled_attention<double>(map.map64(), c.head64(), 0, expected.rows(), arena64);
    INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation);
    CHECK(!evidence.log_domain);
    CHECK(evidence.certificate.iterations == 0);
    CHECK(std::abs(evidence.certificate.column_error - error) < 20 * tolerance(deviation, way));
    for (std::size_t i = 0; i < output.flat().size(); ++i)
      REQUIRE(output.flat()[i] == plain.flat()[i]);
  });
}

TEST_CASE("a bound is the row error before the last update, and no column error exceeds it") {
  Arena arena, arena64;
  for_each_case<int>({0, 1, 2, 3}, [&](const Case& c, double deviation, int which,
                                       const SweepOptions& way) {
    const Map plain_map(4, c.sizes.width);
    const CorrectedMap corrected(2, 6, c.sizes.width);
    const RelaxedMap relaxed(2);
    const DualMap<float> map = which == 0   ? plain_map.map32()
                               : which == 1 ? plain_map.known32()  // closed in one pass
                               : which == 2 ? corrected.map32()
                                            : relaxed.map32();
    const DualMap<double> map64 = which == 0   ? plain_map.map64()
                                  : which == 1 ? plain_map.known64()
                                  : which == 2 ? corrected.map64()
                                               : relaxed.map64();
    Tensor<float> output = c.output(), plain = c.output();
    Tensor<double> expected = c.output64();
    const TiledEvidence evidence =
        bounded_tiled_compiled_attention(map, c.head(), way, output.rows(), arena);
    tiled_compiled_attention(map, c.head(), 0, way, plain.rows(), arena);
    for (std::size_t i = 0; i < output.flat().size(); ++i)
      REQUIRE(output.flat()[i] == plain.flat()[i]);
    const double bound =
        bounded_compiled_attention<double>(map64, c.head64(), expected.rows(), arena64);
    const double error = compiled_attention<double>(map64, c.head64(), 0, expected.rows(), arena64);
    INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", map " << which);
    CHECK(!evidence.log_domain);
    // A sum of rows that are off by many times 1 has an error of that relative size.
    CHECK(std::abs(evidence.certificate.column_error - bound) <
          20 * (1 + bound) * tolerance(deviation, way));
    CHECK(bound >= error * (1 - 1e-12));
  });
}

TEST_CASE("beyond its limit a map gives way to the teacher's whole loop, in every way") {
  Arena arena, arena64;
  for_each_case<int>(
      {0, 1, 2}, [&](const Case& c, double deviation, int which, const SweepOptions& way) {
        const Map known(4, c.sizes.width);
        const CorrectedMap corrected(2, 0, c.sizes.width);
        const RelaxedMap relaxed(2);
        const DualMap<float> map = which == 0   ? known.map32()
                                   : which == 1 ? corrected.map32()
                                                : relaxed.map32();
        Tensor<float> output = c.output(), kept = c.output(), plain = c.output();
        Tensor<double> expected = c.output64();
        const auto run = [&](double limit, Tensor<float>& out) {
          return bounded_tiled_compiled_attention(map, c.head(), way, out.rows(), arena, {limit, 5})
              .certificate;
        };
        const ColumnCertificate left = run(-1, output), stays = run(INFINITY, kept);
        tiled_compiled_attention(map, c.head(), 0, way, plain.rows(), arena);
        const ArenaScope scope(arena64);
        sinkhorn_attention<double>(c.head64(), 5, expected.rows(), arena64);
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", map " << which);
        CHECK(left.iterations == 5);
        CHECK(left.column_error == stays.column_error);
        CHECK(largest_difference(output, expected) < 20 * tolerance(deviation, way));
        CHECK(stays.iterations == 0);
        CHECK(std::ranges::equal(kept.flat(), plain.flat()));
      });
}

TEST_CASE(
    "a cut loop goes on to its end beyond its limit, and says the error before its last turn") {
  Arena arena;
  // The second precision takes the tiled form where the processor has bfloat16, the first the
  // stored one.
  for (const ProductPrecision precision : {ProductPrecision::single, ProductPrecision::bfloat16})
    for (const int iterations : {1, 2, 5, 7}) {
      const Case c({60, 50, 16, 16}, 2);
      const auto run = [&](double limit, Tensor<float>& output) {
        return guarded_sinkhorn_attention(c.head(), iterations, {limit, 7}, output.rows(), arena,
                                          precision)
            .certificate;
      };
      const auto expect = [&](const Tensor<float>& output, int count) {
        Tensor<float> plain = c.output();
        fastest_sinkhorn_attention(c.head(), count, plain.rows(), arena, precision);
        for (std::size_t i = 0; i < output.flat().size(); ++i)
          REQUIRE(output.flat()[i] == plain.flat()[i]);
      };
      const bool bfloat16 =
          precision == ProductPrecision::bfloat16 && bfloat16_kernels() != nullptr;
      Tensor<float> output = c.output();
      const ColumnCertificate cut = run(INFINITY, output);
      CHECK(cut.iterations == 0);
      expect(output, iterations);
      Tensor<double> unused = c.output64();
      Arena arena64;
      const double before =
          sinkhorn_attention<double>(c.head64(), iterations - 1, unused.rows(), arena64)
              .column_error;
      INFO(iterations << " iterations, bfloat16 " << bfloat16);
      CHECK(cut.column_error == doctest::Approx(before).epsilon(bfloat16 ? 0.05 : 1e-3));
      const ColumnCertificate strict = run(0.99 * cut.column_error, output);
      CHECK(strict.iterations == 7 - iterations);
      CHECK(strict.column_error == cut.column_error);
      expect(output, 7);
      CHECK(run(cut.column_error, output).iterations == 0);
      CHECK(run(NAN, output).iterations == 7 - iterations);
    }
}

TEST_CASE("a cut loop keeps its word outside of the range of float, too") {
  Case c({40, 50, 16, 16}, 1);
  for (float& value : c.q.flat()) value *= 60;
  for (float& value : c.k.flat()) value *= 60;
  Arena arena;
  for (const ProductPrecision precision : {ProductPrecision::single, ProductPrecision::bfloat16})
    for (const double limit : {0.0, 1e9}) {
      Tensor<float> output = c.output(), plain = c.output();
      const TiledEvidence evidence =
          guarded_sinkhorn_attention(c.head(), 2, {limit, 5}, output.rows(), arena, precision);
      // The stored form, which the first precision takes, gets by without.
      if (precision == ProductPrecision::bfloat16 && bfloat16_kernels() != nullptr)
        CHECK(evidence.log_domain);
      CHECK(std::isfinite(evidence.certificate.column_error));
      CHECK(evidence.certificate.iterations == (limit == 0 ? 3 : 0));
      sinkhorn_attention<float>(c.head(), limit == 0 ? 5 : 2, plain.rows(), arena);
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

TEST_CASE(
    "a relaxed loop gives way at once where the plan that it starts from is beyond its limit") {
  Arena arena, arena64;
  for_each_case<int>(
      {1, 3}, [&](const Case& c, double deviation, int corrections, const SweepOptions& way) {
        const RelaxedMap relaxed(corrections);
        Tensor<float> output = c.output(), plain = c.output();
        Tensor<double> expected = c.output64();
        const auto run = [&](double start_limit) {
          return bounded_tiled_compiled_attention(relaxed.map32(), c.head(), way, output.rows(),
                                                  arena, {INFINITY, 5, start_limit})
              .certificate;
        };
        const ArenaScope scope(arena64);
        const double start_error =
            sinkhorn_attention<double>(c.head64(), 0, expected.rows(), arena64).column_error;
        INFO(c.sizes.n << " x " << c.sizes.m << ", deviation " << deviation << ", " << corrections);
        const ColumnCertificate stays = run(INFINITY);
        CHECK(std::abs(stays.start_error - start_error) <
              20 * (1 + start_error) * tolerance(deviation, way));
        CHECK(stays.iterations == 0);
        tiled_compiled_attention(relaxed.map32(), c.head(), 0, way, plain.rows(), arena);
        CHECK(std::ranges::equal(output.flat(), plain.flat()));
        CHECK(run(stays.start_error).iterations == 0);  // not beyond it
        const ColumnCertificate left = run(-1);
        CHECK(left.iterations == 5);
        CHECK(left.start_error == stays.start_error);
        CHECK(std::isnan(left.column_error));
        sinkhorn_attention<double>(c.head64(), 5, expected.rows(), arena64);
        CHECK(largest_difference(output, expected) < 20 * tolerance(deviation, way));
      });
}

TEST_CASE("maps that do not start as the loop does have no error of a start") {
  Arena arena;
  for_each_case<int>({0, 1}, [&](const Case& c, double, int which, const SweepOptions& way) {
    const Map known(4, c.sizes.width);
    const CorrectedMap corrected(2, 0, c.sizes.width);
    Tensor<float> output = c.output();
    const ColumnCertificate certificate =
        bounded_tiled_compiled_attention(which == 0 ? known.map32() : corrected.map32(), c.head(),
                                         way, output.rows(), arena, {INFINITY, 5, -1})
            .certificate;
    CHECK(std::isnan(certificate.start_error));
    CHECK(certificate.iterations == 0);
  });
}
