#include "attention/compiled/compiled_attention.h"

#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "numerics/dense_solvers.h"
#include "support/compiled_problem.h"
#include "transport/sinkhorn_log.h"

namespace asap::test {
namespace {

// Outputs are averages of values of order one. Exponents reach about 10, so each exp carries some
// ten roundings of its own and of the products below it: 100 units in the last place.
constexpr double kDoubleTolerance = 100 * 0x1p-52;

TEST_CASE("The compiled operator equals its definition for any N and M") {
  std::uint32_t id = 0;
  for (const auto& [n, m] : std::vector<std::pair<int, int>>{
           {1, 1}, {1, 4}, {4, 1}, {7, 7}, {16, 9}, {9, 16}, {33, 65}, {64, 50}}) {
    const CompiledProblem p = random_compiled_problem(n, m, id += 10);
    const Reference reference = naive_attention(p, 0);
    CHECK(largest_difference(run<double>(p).output, reference.output) < kDoubleTolerance);
    CHECK(largest_difference(run<float>(p).output, reference.output) < kFloatTolerance);
  }
}

TEST_CASE("Every subset of features is computed in the documented order") {
  for (int subset = 0; subset < 128; ++subset) {
    CompiledProblem p = random_compiled_problem(12, 10, 500);
    p.features = {(subset & 1) != 0,         (subset & 2) != 0,  (subset & 4) != 0,
                  (subset & 8) != 0,         (subset & 16) != 0, (subset & 32) != 0,
                  (subset & 64) != 0 ? 4 : 0};
    if (p.features.landmarks > 0) p.landmarks = random_matrix(4, 6, 0.5, 77);
    p.weights.resize(p.count(), 0.3);
    CHECK(largest_difference(run<double>(p).output, naive_attention(p, 0).output) <
          kDoubleTolerance);
  }
}

TEST_CASE("Corrected iterations add their differences and the features, stage by stage") {
  for (const int corrections : {1, 2, 4})
    for (const bool landmarks : {false, true}) {
      CompiledProblem p = random_compiled_problem(18, 23, 640);
      p.features = {false, true, true, false, true, true, landmarks ? 5 : 0, corrections};
      if (landmarks) p.landmarks = random_matrix(5, 6, 0.5, 78);
      base::RandomStream random(33, base::RandomPurpose::test);
      p.weights.clear();
      for (std::int64_t w = 0; w < p.count(); ++w) p.weights.push_back(0.2 * random.normal());
      for (const int extra : {0, 2}) {
        const Reference reference = naive_attention(p, extra);
        CHECK(largest_difference(run<double>(p, extra).output, reference.output) <
              kDoubleTolerance);
        CHECK(largest_difference(run<float>(p, extra).output, reference.output) < kFloatTolerance);
      }
    }
}

TEST_CASE("A loop that starts as the teacher's relaxes its iterations as defined") {
  for (const int corrections : {1, 2, 4}) {
    CompiledProblem p = random_compiled_problem(18, 23, 650);
    p.features = attention::DualFeatures::none();
    p.features.start = true;
    p.features.corrections = corrections;
    base::RandomStream random(34, base::RandomPurpose::test);
    p.weights.clear();
    for (std::int64_t w = 0; w < p.count(); ++w) p.weights.push_back(0.3 * random.normal());
    CHECK(std::ssize(p.weights) == corrections * (corrections + 1) / 2);
    for (const int extra : {0, 2}) {
      const Reference reference = naive_attention(p, extra);
      CHECK(largest_difference(run<double>(p, extra).output, reference.output) < kDoubleTolerance);
      CHECK(largest_difference(run<float>(p, extra).output, reference.output) < kFloatTolerance);
    }
  }
}

TEST_CASE("Extra iterations are warm-started Sinkhorn iterations") {
  const CompiledProblem p = random_compiled_problem(20, 14, 600);
  for (const int k : {1, 2, 5})
    CHECK(largest_difference(run<double>(p, k).output, naive_attention(p, k).output) <
          kDoubleTolerance);
}

TEST_CASE("The measured column error is that of the plan") {
  const CompiledProblem p = random_compiled_problem(20, 14, 700);
  const tensor::Tensor<double> plan = naive_attention(p, 0).plan;
  double expected = 0;
  for (std::int64_t j = 0; j < 14; ++j) {
    double total = 0;
    for (std::int64_t i = 0; i < 20; ++i) total += plan.rows()(i, j);
    expected += std::abs(total * 14 / 20 - 1) / 14;
  }
  CHECK(expected > 1e-3);  // otherwise the test could not fail
  CHECK(std::abs(run<double>(p).column_error - expected) < kDoubleTolerance);
}

TEST_CASE("A row dual beyond the range of exp is closed all the same") {
  // Scores of order 150: where the dual singles out one query, the others' keys underflow.
  for (const double factor : {1.0, 10.0}) {
    CompiledProblem p = random_compiled_problem(24, 17, 800, 8);
    for (double& weight : p.weights) weight *= factor;
    const Result<float> result = run<float>(p);
    // The exponents themselves, of order `factor` * 1000, are rounded to float32 before any exp.
    CHECK(largest_difference(result.output, naive_attention(p, 0).output) <
          factor * 1000 * 0x1p-23);
    CHECK(std::isfinite(result.column_error));
  }
}

TEST_CASE("Sharp scores stay finite, and rows sum to 1 however coarsely scores are rounded") {
  for (const double size : {30.0, 1e4}) {  // scores of several thousand, and of 1e8
    CompiledProblem p = random_compiled_problem(30, 30, 900, size);
    const Result<float> result = run<float>(p);
    for (const float value : result.output.flat()) CHECK(std::isfinite(value));
    p.v = tensor::Tensor<double>({30, 1});
    for (double& value : p.v.flat()) value = 1;
    const Result<float> sums = run<float>(p);
    for (const float sum : sums.output.flat()) CHECK(std::abs(sum - 1) < 1e-5);
  }
}

TEST_CASE("Closing the teacher's last but one row dual gives the teacher's plan") {
  // Any centred dual is linear in the queries when D >= N, so the linear feature on the unit slices
  // hands the operator exactly f^(T) in centred coordinates.
  const std::int64_t n = 6, width = 8;
  std::uint32_t id = 1000;
  for (const std::int64_t m : {4, 6, 11})
    for (const int iterations : {1, 2, 10}) {
      CompiledProblem p = random_compiled_problem(n, m, id += 10);
      p.q = random_matrix(n, width, 1, id), p.k = random_matrix(m, width, 1, id + 1);
      tensor::Tensor<double> scores({n, m}), unit({width, width}), identity({m, m});
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < m; ++j)
          scores.rows()(i, j) = p.scale * inner(p.q.rows(), i, p.k.rows(), j);
      const transport::SinkhornTrace<double> teacher =
          transport::sinkhorn_log<double>(scores.rows(), {}, iterations);
      const tensor::Tensor<double> x = naive_centred(p.q, p.scale), y = naive_centred(p.k, p.scale);
      // f_c = f + scale (q - q̄) . k̄ = f + S_i. averaged over keys, up to a constant.
      std::vector<double> target(n), weights(width);
      for (std::int64_t i = 0; i < n; ++i) {
        target[i] = teacher.row_duals.rows()(iterations - 1, i);
        for (std::int64_t j = 0; j < m; ++j)
          target[i] += scores.rows()(i, j) / static_cast<double>(m);
      }
      const double mean = std::accumulate(target.begin(), target.end(), 0.0) / n;
      for (double& value : target) value -= mean;
      numerics::solve_least_squares(x.rows(), target, weights);
      for (std::int64_t d = 0; d < width; ++d) unit.rows()(d, d) = 1;
      for (std::int64_t j = 0; j < m; ++j) identity.rows()(j, j) = 1;
      p.features = attention::DualFeatures::none();
      p.features.linear = true;
      p.a = p.b = unit, p.v = identity, p.weights = weights;

      tensor::Tensor<double> plan({n, m});
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < m; ++j)
          plan.rows()(i, j) =
              std::exp(scores.rows()(i, j) + teacher.row_duals.rows()(iterations, i) +
                       teacher.column_duals.rows()(iterations - 1, j));
      CHECK(largest_difference(run<double>(p).output, plan) < 1e-10);
    }
}

TEST_CASE("The output follows permutations of queries and ignores permutations of keys") {
  const CompiledProblem p = random_compiled_problem(13, 11, 2000);
  CompiledProblem shuffled = p;
  for (std::int64_t i = 0; i < 13; ++i)
    for (std::int64_t d = 0; d < 6; ++d) shuffled.q.rows()(i, d) = p.q.rows()((i * 5 + 2) % 13, d);
  for (std::int64_t j = 0; j < 11; ++j) {
    for (std::int64_t d = 0; d < 6; ++d) shuffled.k.rows()(j, d) = p.k.rows()((j * 3 + 1) % 11, d);
    for (std::int64_t d = 0; d < 5; ++d) shuffled.v.rows()(j, d) = p.v.rows()((j * 3 + 1) % 11, d);
  }
  const tensor::Tensor<double> plain = run<double>(p).output, moved = run<double>(shuffled).output;
  for (std::int64_t i = 0; i < 13; ++i)
    for (std::int64_t d = 0; d < 5; ++d)
      CHECK(std::abs(moved.rows()(i, d) - plain.rows()((i * 5 + 2) % 13, d)) < kDoubleTolerance);
}

TEST_CASE("Adding a constant to all queries or to all keys changes nothing") {
  // tilt is left out: it describes what the teacher's start sees, which does change.
  CompiledProblem p = random_compiled_problem(13, 11, 2100);
  p.features.tilt = false;
  p.weights.resize(p.count());
  const tensor::Tensor<double> plain = run<double>(p).output;
  for (double& value : p.q.flat()) value += 3;
  for (double& value : p.k.flat()) value -= 2;
  CHECK(largest_difference(run<double>(p).output, plain) < 10 * kDoubleTolerance);
}

}  // namespace
}  // namespace asap::test
