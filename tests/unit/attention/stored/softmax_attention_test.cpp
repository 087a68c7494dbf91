#include "attention/stored/softmax_attention.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/random.h"
#include "tensor/core/tensor.h"
#include "unit/attention/stored/random_head.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;
using namespace asap::test;

namespace {

template <class T>
Tensor<T> random_values(const Shape& shape, std::uint32_t which) {
  Tensor<T> out(shape);
  RandomStream random(5, RandomPurpose::test, which);
  for (T& value : out.flat()) value = static_cast<T>(random.uniform(-1, 1));
  return out;
}

template <class T>
double difference(const Tensor<T>& a, const Tensor<T>& b) {
  double worst = 0;
  for (std::int64_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return worst;
}

/// Output and gradients of one head, stored or blocked.
template <class T>
struct Result {
  Tensor<T> output, dq, dk, dv;

  Result(std::int64_t n, std::int64_t m, std::int64_t d)
      : output({n, d}),
        dq(random_values<T>({n, d}, 7)),
        dk(random_values<T>({m, d}, 8)),
        dv(random_values<T>({m, d}, 9)) {}

  HeadGradients<T> gradients(bool accumulate) {
    return {dq.rows(), dk.rows(), dv.rows(), accumulate};
  }
};

}  // namespace

TEST_CASE_TEMPLATE("softmax attention in blocks equals the one that keeps its plan", T, float,
                   double) {
  // 500 keys make blocks of 128 rows, so that 300 queries are three blocks, the last one smaller.
  const std::int64_t n = 300, m = 500, d = 12;
  const Tensor<T> q = random_values<T>({n, d}, 1), k = random_values<T>({m, d}, 2);
  const Tensor<T> v = random_values<T>({m, d}, 3), gradient = random_values<T>({n, d}, 4);
  const AttentionHead<T> head{q.rows(), k.rows(), v.rows(), T(1.5)};
  for (const bool accumulate : {false, true}) {
    CAPTURE(accumulate);
    Arena arena;
    Result<T> stored(n, m, d), blocked(n, m, d);
    const MatrixView<T> plan = softmax_attention<T>(head, stored.output.rows(), arena);
    softmax_attention_vjp<T>(head, plan, gradient.rows(), stored.gradients(accumulate), arena);
    blocked_softmax_attention<T>(head, blocked.output.rows(), arena);
    blocked_softmax_attention_vjp<T>(head, gradient.rows(), blocked.gradients(accumulate), arena);
    // A row does not depend on its block; sums over queries are only ordered otherwise.
    CHECK(difference(stored.output, blocked.output) == 0);
    CHECK(difference(stored.dq, blocked.dq) == 0);
    const double tolerance = 64 * std::numeric_limits<T>::epsilon();
    CHECK(difference(stored.dk, blocked.dk) < tolerance);
    CHECK(difference(stored.dv, blocked.dv) < tolerance);
  }
}

TEST_CASE("plans are kept for short sequences only") {
  CHECK(!softmax_plan_is_large(196, 196));
  CHECK(softmax_plan_is_large(1024, 1024));
  CHECK(softmax_plan_is_large(128, 1 << 20));
}

TEST_CASE("softmax attention is the plain formula") {
  const RandomHead c = random_head(13, 21, 8, 1.0);
  Arena arena;
  Tensor<double> output({13, 8});
  softmax_attention<double>({c.q.rows(), c.k.rows(), c.v.rows(), c.scale}, output.rows(), arena);
  const Tensor<double> plan = reference_plan(c, 0);
  for (std::int64_t i = 0; i < 13; ++i)
    for (std::int64_t l = 0; l < 8; ++l) {
      double expected = 0;
      for (std::int64_t j = 0; j < 21; ++j) expected += plan[i * 21 + j] * c.v.rows()(j, l);
      CHECK(output.rows()(i, l) == doctest::Approx(expected).epsilon(1e-12));
    }
}
