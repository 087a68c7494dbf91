#include "attention/compiled/landmark_dual.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "support/compiled_problem.h"
#include "transport/sinkhorn_log.h"

namespace asap::test {
namespace {

constexpr double kTolerance = 1000 * 0x1p-52;

/// The landmark dual of a problem, less its mean.
template <class T>
std::vector<double> centred_dual(const CompiledProblem& p) {
  const tensor::Tensor<T> q = cast<T>(p.q), k = cast<T>(p.k), landmarks = cast<T>(p.landmarks);
  tensor::Arena scratch;
  const attention::CentredHead<T> head =
      attention::centre_head<T>(q.rows(), k.rows(), static_cast<T>(p.scale), scratch);
  std::vector<T> dual(p.q.shape()[0]);
  attention::landmark_dual<T>(head, {landmarks.rows(), p.teacher_iterations}, dual, scratch);
  return {dual.begin(), dual.end()};
}

void check_equal(std::vector<double> a, std::vector<double> b, double tolerance) {
  double mean_a = 0, mean_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    mean_a += a[i] / static_cast<double>(a.size());
    mean_b += b[i] / static_cast<double>(a.size());
  }
  for (std::size_t i = 0; i < a.size(); ++i)
    CHECK(std::abs(a[i] - mean_a - b[i] + mean_b) < tolerance);
}

std::vector<double> naive(const CompiledProblem& p) {
  return naive_landmark_dual(p, naive_centred(p.q, p.scale), naive_centred(p.k, p.scale));
}

TEST_CASE(
    "The landmark dual is the teacher's loop on keys replaced by the means of their clusters") {
  for (const int iterations : {1, 2, 10})
    for (const auto& [n, m] : std::vector<std::pair<int, int>>{{1, 1}, {9, 30}, {40, 17}}) {
      CompiledProblem p = random_compiled_problem(n, m, 3100);
      p.landmarks = random_matrix(6, 6, 0.7, 3200);
      p.teacher_iterations = iterations;
      check_equal(centred_dual<double>(p), naive(p), kTolerance);
      check_equal(centred_dual<float>(p), naive(p), 1e-4);
    }
}

TEST_CASE("With every key its own landmark it is the teacher's closure-ready dual") {
  CompiledProblem p = random_compiled_problem(14, 11, 3300);
  const tensor::Tensor<double> x = naive_centred(p.q, p.scale), y = naive_centred(p.k, p.scale);
  p.landmarks = y;
  p.teacher_iterations = 7;
  tensor::Tensor<double> scores({14, 11});
  for (std::int64_t i = 0; i < 14; ++i)
    for (std::int64_t j = 0; j < 11; ++j)
      scores.rows()(i, j) = p.scale * inner(p.q.rows(), i, p.k.rows(), j);
  const transport::SinkhornTrace<double> teacher =
      transport::sinkhorn_log<double>(scores.rows(), {}, 7);
  std::vector<double> target(14);
  for (std::int64_t i = 0; i < 14; ++i) {
    target[i] = teacher.row_duals.rows()(6, i);
    for (std::int64_t j = 0; j < 11; ++j) target[i] += scores.rows()(i, j) / 11;
  }
  check_equal(centred_dual<double>(p), target, kTolerance);
}

TEST_CASE("Scores of thousands leave the exp domain, not the result") {
  CompiledProblem p = random_compiled_problem(20, 25, 3400, 30);
  p.landmarks = random_matrix(6, 6, 15, 3500);
  p.teacher_iterations = 4;
  check_equal(centred_dual<double>(p), naive(p), 1e-9);
}

TEST_CASE("Prototypes without keys, and equal prototypes, change nothing") {
  CompiledProblem p = random_compiled_problem(10, 12, 3600);
  p.landmarks = random_matrix(3, 6, 0.7, 3700);
  const std::vector<double> plain = centred_dual<double>(p);
  tensor::Tensor<double> more({5, 6});
  for (std::int64_t c = 0; c < 5; ++c)
    for (std::int64_t d = 0; d < 6; ++d)
      more.rows()(c, d) = c < 3    ? p.landmarks.rows()(c, d)
                          : c == 3 ? 1e3
                                   : p.landmarks.rows()(0, d);
  p.landmarks = more;
  check_equal(centred_dual<double>(p), plain, kTolerance);
}

}  // namespace
}  // namespace asap::test
