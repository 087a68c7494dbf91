// Certificates and guards of the tiled form of the compiled operator, and of cut loops.
#include <doctest/doctest.h>

#include "attention/compiled/compiled_attention.h"
#include "attention/stored/sinkhorn_attention.h"
#include "support/share.h"
#include "unit/attention/tiled/tiled_cases.h"

using namespace asap::test;

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
