// Sinkhorn attention where it is usually lost: scores that span up to 1e4, one to 4096 tokens,
// duplicated rows, equal scores, a single live token, nothing to attend to.
#include "attention/stored/sinkhorn_attention.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "attention/kinds/attention_kinds.h"
#include "attention/operators/kind_operator.h"
#include "base/random.h"
#include "support/share.h"
#include "transport/marginals.h"
#include "transport/sinkhorn_log.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;
using namespace asap::transport;

namespace {

constexpr std::int64_t kWidth = 4;
constexpr int kIterations = 5;

/// Queries, keys and values [n, 4], [m, 4], [m, 4]; the last value column is one everywhere.
template <class T>
struct Inputs {
  Tensor<T> q, k, v;
  AttentionHead<T> head() const { return {q.rows(), k.rows(), v.rows(), T(1)}; }
  std::int64_t n() const { return q.shape()[0]; }
  std::int64_t m() const { return k.shape()[0]; }
};

/// Scores that reach from about -range / 2 to range / 2 and that float holds exactly: entries are
/// multiples of a power of two. What is left to differ from the reference is the arithmetic of the
/// iterations.
template <class T>
Inputs<T> inputs_of_range(std::int64_t n, std::int64_t m, double range) {
  Inputs<T> in{Tensor<T>({n, kWidth}), Tensor<T>({m, kWidth}), Tensor<T>({m, kWidth})};
  const double largest = std::sqrt(range / (2 * kWidth));
  const double quantum = range >= 100 ? 0x1p-4 : 0x1p-8;
  RandomStream random(11, RandomPurpose::test);
  const auto draw = [&] {
    return static_cast<T>(std::round(random.uniform(-largest, largest) / quantum) * quantum);
  };
  for (T& x : in.q.flat()) x = draw();
  for (T& x : in.k.flat()) x = draw();
  // The extreme scores are there whatever was drawn.
  const T extreme = static_cast<T>(std::floor(largest / quantum) * quantum);
  for (T& x : in.q.rows().row(0)) x = extreme;
  for (T& x : in.k.rows().row(0)) x = extreme;
  if (m > 1)
    for (T& x : in.k.rows().row(1)) x = -extreme;
  for (std::int64_t j = 0; j < m; ++j)
    for (std::int64_t c = 0; c < kWidth; ++c)
      in.v.rows()(j, c) = c + 1 == kWidth ? T(1) : static_cast<T>(random.normal());
  return in;
}

template <class T>
bool all_finite(const Tensor<T>& x) {
  return std::ranges::all_of(x.flat(), [](T value) { return std::isfinite(value); });
}

/// Forward and backward of one head.
template <class T>
struct Pass {
  Arena arena;
  Tensor<T> output, plan, d_q, d_k, d_v;
  bool log_domain = false;
  double column_error = 0;

  Pass(const Inputs<T>& in, bool with_plan, bool implicit = false, int iterations = kIterations,
       GibbsLifetime lifetime = GibbsLifetime::kept)
      : output({in.n(), kWidth}),
        d_q({in.n(), kWidth}),
        d_k({in.m(), kWidth}),
        d_v({in.m(), kWidth}) {
    SinkhornState<T> state =
        sinkhorn_attention<T>(in.head(), iterations, output.rows(), arena, lifetime);
    log_domain = state.log_domain;
    column_error = static_cast<double>(state.column_error);
    if (with_plan) {
      plan = Tensor<T>({in.n(), in.m()});
      sinkhorn_plan<T>(state, plan.rows());
    }
    Tensor<T> gradient({in.n(), kWidth});
    RandomStream random(12, RandomPurpose::test);
    for (T& x : gradient.flat()) x = static_cast<T>(random.normal());
    const HeadGradients<T> out{d_q.rows(), d_k.rows(), d_v.rows()};
    const auto vjp = implicit ? sinkhorn_attention_implicit_vjp<T> : sinkhorn_attention_vjp<T>;
    vjp(in.head(), state, output.rows(), gradient.rows(), out, arena);
  }

  bool finite() const {
    return all_finite(output) && all_finite(d_q) && all_finite(d_k) && all_finite(d_v) &&
           std::isfinite(column_error);
  }
  /// Largest difference of an output or gradient, in parts of the largest entry there.
  double distance(const Pass& other) const {
    double farthest = 0;
    for (const auto part : {&Pass::output, &Pass::d_q, &Pass::d_k, &Pass::d_v}) {
      const Tensor<T>&a = this->*part, &b = other.*part;
      double error = 0, largest = 0;
      for (std::int64_t i = 0; i < a.size(); ++i) {
        error = std::max(error, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
        largest = std::max(largest, std::abs(static_cast<double>(a[i])));
      }
      if (error > 0) farthest = std::max(farthest, error / largest);
    }
    return farthest;
  }
  /// How far the rows' sums, which the last value column shows, are from one.
  double row_error() const {
    double error = 0;
    for (std::int64_t i = 0; i < output.shape()[0]; ++i)
      error = std::max(error, std::abs(static_cast<double>(output.rows()(i, kWidth - 1)) - 1));
    return error;
  }
};

/// Queries and keys that differ in one dimension only, around means of opposite signs: the scalings
/// of rows and columns grow apart with every iteration, and one kind further than the other. Scores
/// span about 4 * sharpness.
template <class T>
Inputs<T> lopsided_inputs(std::int64_t n, double sharpness, std::uint32_t which) {
  Inputs<T> in = inputs_of_range<T>(n, n, 1);
  RandomStream random(13, RandomPurpose::test, which);
  const double size = std::sqrt(sharpness);
  for (const auto& [x, mean] : {std::pair(&in.q, -0.3), std::pair(&in.k, 0.4)})
    for (std::int64_t i = 0; i < n; ++i) {
      std::ranges::fill(x->rows().row(i), T(0));
      const double value = size * (mean + 0.4 * random.normal());
      x->rows()(i, 0) = static_cast<T>(std::round(value * 256) / 256);
    }
  return in;
}

/// Largest difference, in parts of the largest entry of the reference.
double difference(const Tensor<float>& x, const Tensor<double>& reference) {
  double error = 0, largest = 0;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    error = std::max(error, std::abs(static_cast<double>(x[i]) - reference[i]));
    largest = std::max(largest, std::abs(reference[i]));
  }
  return error / largest;
}

/// The plan by the float64 log-domain reference.
template <class T>
Tensor<double> reference_plan(const Inputs<T>& in) {
  Tensor<double> scores({in.n(), in.m()}), plan({in.n(), in.m()});
  for (std::int64_t i = 0; i < in.n(); ++i)
    for (std::int64_t j = 0; j < in.m(); ++j)
      for (std::int64_t c = 0; c < kWidth; ++c)
        scores.rows()(i, j) += static_cast<double>(in.q.rows()(i, c)) * in.k.rows()(j, c);
  const SinkhornTrace<double> trace = sinkhorn_log<double>(scores.rows(), {}, kIterations);
  plan_from_duals<double>(scores.rows(), trace.row_duals.rows().row(kIterations),
                          trace.column_duals.rows().row(kIterations - 1), plan.rows());
  return plan;
}

/// Largest relative error of the entries that are at least a thousandth of the largest of their
/// row.
template <class T>
double relative_error(const Tensor<T>& plan, const Tensor<double>& reference) {
  double error = 0;
  for (std::int64_t i = 0; i < reference.shape()[0]; ++i) {
    const auto row = reference.rows().row(i);
    const double threshold = 1e-3 * *std::ranges::max_element(row);
    for (std::size_t j = 0; j < row.size(); ++j)
      if (row[j] >= threshold)
        error = std::max(error, std::abs(static_cast<double>(plan.rows().row(i)[j]) / row[j] - 1));
  }
  return error;
}

constexpr double kRanges[] = {0.01, 1, 10, 30, 100, 300, 1000, 3000, 10000};

// Sums of up to 4096 rounded numbers in float32, a few of them one after the other:
// measured 1.1e-6.
constexpr double kRowTolerance = 1e-5;

void check_finite(const Inputs<float>& in) {
  for (const bool implicit : {false, true}) {
    const Pass<float> pass(in, false, implicit);
    CAPTURE(implicit);
    CHECK(pass.finite());
    CHECK(pass.row_error() < kRowTolerance);
  }
}

}  // namespace

TEST_CASE(
    "forward and both gradients are finite for scores that span 0.01 to 1e4, N from 1 to 1024") {
  for (const double range : kRanges)
    for (const std::int64_t n : {1, 2, 3, 7, 64, 257, 1024}) {
      CAPTURE(range);
      CAPTURE(n);
      check_finite(inputs_of_range<float>(n, n, range));
    }
}

TEST_CASE(
    "forward and both gradients are finite for 4096 tokens, and for many more keys or queries") {
  std::int64_t index = 0;
  for (const double range : {10000.0, 1.0, 100.0}) {
    if (!asap::test::in_share(index++)) continue;
    CAPTURE(range);
    check_finite(inputs_of_range<float>(4096, 4096, range));
    check_finite(inputs_of_range<float>(4096, 3, range));
    check_finite(inputs_of_range<float>(3, 4096, range));
  }
}

TEST_CASE(
    "gradients of many iterations stay finite as scalings grow apart, and near those in double") {
  for (const double sharpness : {10.0, 30.0, 100.0, 300.0, 2500.0})
    for (const int iterations : {3, 10, 30, 100})
      for (const std::uint32_t which : {0, 1, 2, 3}) {
        CAPTURE(sharpness);
        CAPTURE(iterations);
        const Inputs<float> in = lopsided_inputs<float>(64, sharpness, which);
        const Pass<float> pass(in, false, false, iterations);
        CHECK(pass.finite());
        CHECK(Pass<float>(in, false, true, iterations).finite());
        if (sharpness > 100) continue;  // rounded scores, amplified by the iterations
        const Pass<double> reference(lopsided_inputs<double>(64, sharpness, which), false, false,
                                     iterations);
        CHECK(difference(pass.d_q, reference.d_q) < 1e-3);
        CHECK(difference(pass.d_k, reference.d_k) < 1e-3);
        CHECK(difference(pass.d_v, reference.d_v) < 1e-3);
      }
}

TEST_CASE(
    "a Gibbs kernel that is released changes no byte, one that comes in blocks only rounding") {
  // 2100 keys make blocks of 32 rows.
  for (const double range : {1.0, 100.0, 10000.0})
    for (const std::int64_t n : {1, 100, 517})
      for (const bool implicit : {false, true}) {
        CAPTURE(range);
        CAPTURE(n);
        CAPTURE(implicit);
        const Inputs<double> in = inputs_of_range<double>(n, 2100, range);
        const Pass<double> kept(in, false, implicit);
        CHECK_FALSE(kept.log_domain);
        CHECK(kept.distance({in, false, implicit, kIterations, GibbsLifetime::released}) == 0);
        CHECK(kept.distance({in, false, implicit, kIterations, GibbsLifetime::blocks}) < 1e-11);
      }
}

TEST_CASE("a head that leaves the exp domain is the same however long its Gibbs kernel lives") {
  const Inputs<float> in = lopsided_inputs<float>(64, 2500, 0);
  const Pass<float> kept(in, false, false, 100);
  REQUIRE(kept.log_domain);
  for (const auto lifetime : {GibbsLifetime::released, GibbsLifetime::blocks}) {
    const Pass<float> other(in, false, false, 100, lifetime);
    CHECK(other.log_domain);
    CHECK(kept.distance(other) == 0);
  }
}

TEST_CASE("scores beyond what the exp domain holds are finite too") {
  for (const double range : {1e5, 1e6, 1e8}) {
    CAPTURE(range);
    check_finite(inputs_of_range<float>(49, 49, range));
  }
}

TEST_CASE("plans agree with the float64 log-domain reference to 1e-4, in double to 1e-10") {
  for (const double range : kRanges)
    for (const std::int64_t n : {1, 2, 3, 7, 49, 64, 257}) {
      CAPTURE(range);
      CAPTURE(n);
      const Inputs<float> single = inputs_of_range<float>(n, n, range);
      const Tensor<double> reference = reference_plan(single);
      CHECK(relative_error(Pass<float>(single, true).plan, reference) < 1e-4);
      const Inputs<double> same = inputs_of_range<double>(n, n, range);
      CHECK(relative_error(Pass<double>(same, true).plan, reference) < 1e-10);
    }
}

TEST_CASE("duplicated queries and keys give equal outputs and finite gradients") {
  for (const double range : {1.0, 100.0, 10000.0}) {
    CAPTURE(range);
    Inputs<float> in = inputs_of_range<float>(64, 64, range);
    for (std::int64_t i = 1; i < 64; i += 2) {
      std::ranges::copy(in.q.rows().row(i - 1), in.q.rows().row(i).begin());
      std::ranges::copy(in.k.rows().row(i - 1), in.k.rows().row(i).begin());
    }
    check_finite(in);
    const Pass<float> pass(in, false);
    for (std::int64_t i = 1; i < 64; i += 2)
      CHECK(std::ranges::equal(pass.output.rows().row(i - 1), pass.output.rows().row(i)));
  }
}

TEST_CASE("all-equal scores, however large, give the mean of the values") {
  for (const float size : {0.0f, 1.0f, 50.0f}) {
    CAPTURE(size);
    Inputs<float> in = inputs_of_range<float>(33, 65, 1);
    std::ranges::fill(in.q.flat(), size);
    std::ranges::fill(in.k.flat(), size);
    check_finite(in);
    const Pass<float> pass(in, false);
    for (std::int64_t c = 0; c < kWidth; ++c) {
      double mean = 0;
      for (std::int64_t j = 0; j < 65; ++j) mean += static_cast<double>(in.v.rows()(j, c)) / 65;
      for (std::int64_t i = 0; i < 33; ++i)
        CHECK(std::abs(static_cast<double>(pass.output.rows()(i, c)) - mean) < 1e-6);
    }
  }
}

TEST_CASE("one live token attends to itself, and where nothing is live outputs are zero") {
  // Three examples of 5 tokens: one live token, no live key, no live query. What is not live holds
  // NaN.
  constexpr std::int64_t kTokens = 5;
  const std::vector<std::int32_t> live_queries{1, 2, 0}, live_keys{1, 0, 2};
  Tensor<float> q({3 * kTokens, kWidth}), k({3 * kTokens, kWidth}), v({3 * kTokens, kWidth});
  for (Tensor<float>* x : {&q, &k, &v}) std::ranges::fill(x->flat(), NAN);
  const auto fill = [&](Tensor<float>& x, const std::vector<std::int32_t>& live) {
    for (std::size_t b = 0; b < live.size(); ++b)
      for (std::int64_t i = 0; i < live[b]; ++i)
        std::ranges::fill(x.rows().row(static_cast<std::int64_t>(b) * kTokens + i), 50.0f);
  };
  fill(q, live_queries);
  fill(k, live_keys);
  fill(v, live_keys);
  const AttentionBatch<float> batch{q.rows(), k.rows(), v.rows(), 3, 1, live_queries, live_keys};
  Tensor<float> output({3 * kTokens, kWidth});
  Arena arena;
  const KindOperator attention(make_sinkhorn_attention<float>(kIterations),
                               std::vector<std::vector<float>>{{1.0f}});
  attention.apply(0, batch, output.rows(), arena);
  for (std::int64_t i = 0; i < output.shape()[0]; ++i)
    for (const float value : output.rows().row(i)) CHECK(value == (i == 0 ? 50.0f : 0.0f));
}

TEST_CASE("a head without keys or without queries has zero outputs and zero gradients") {
  for (const auto& shape : {std::pair<int, int>(3, 0), std::pair<int, int>(0, 3)})
    for (const bool implicit : {false, true}) {
      const int n = shape.first, m = shape.second;
      CAPTURE(n);
      CAPTURE(implicit);
      Inputs<float> in{Tensor<float>({n, kWidth}), Tensor<float>({m, kWidth}),
                       Tensor<float>({m, kWidth})};
      std::ranges::fill(in.q.flat(), 1.0f);
      std::ranges::fill(in.k.flat(), 1.0f);
      std::ranges::fill(in.v.flat(), 1.0f);
      const Pass<float> pass(in, false, implicit);
      CHECK(pass.finite());
      for (const Tensor<float>* x : {&pass.output, &pass.d_q, &pass.d_k, &pass.d_v})
        for (const float value : x->flat()) CHECK(value == 0.0f);
    }
}
