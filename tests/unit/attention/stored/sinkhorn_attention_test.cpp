#include "attention/stored/sinkhorn_attention.h"

#include <cmath>

#include <doctest/doctest.h>

#include "transport/marginals.h"
#include "unit/attention/stored/random_head.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::transport;
using namespace asap::test;

namespace {

template <class T>
Tensor<T> to(const Tensor<double>& x) {
  Tensor<T> out(x.shape());
  for (std::int64_t i = 0; i < x.size(); ++i) out[i] = static_cast<T>(x[i]);
  return out;
}

template <class T>
struct Run {
  Tensor<T> output, plan;
  SinkhornState<T> state;
};

template <class T>
Run<T> run(const RandomHead& c, int iterations, Arena& arena, double slack = 0) {
  const Tensor<T> q = to<T>(c.q), k = to<T>(c.k), v = to<T>(c.v);
  Run<T> r{Tensor<T>({q.shape()[0], 8}), Tensor<T>({q.shape()[0], k.shape()[0]}), {}};
  AttentionHead<T> head{q.rows(), k.rows(), v.rows(), static_cast<T>(c.scale)};
  head.slack = static_cast<T>(slack);
  r.state = sinkhorn_attention<T>(head, iterations, r.output.rows(), arena);
  sinkhorn_plan<T>(r.state, r.plan.rows());
  return r;
}

template <class T>
double plan_error(const Tensor<T>& plan, const Tensor<double>& reference) {
  double error = 0;
  for (std::int64_t i = 0; i < plan.size(); ++i)
    error = std::max(error, std::abs(static_cast<double>(plan[i]) - reference[i]));
  return error;
}

}  // namespace

TEST_CASE("the exp domain in float32 stays within 3e-6 of the log domain in float64") {
  for (const auto& [n, m] : std::vector<std::pair<int, int>>{{49, 49}, {64, 33}, {17, 80}})
    for (const int iterations : {0, 1, 3, 10}) {
      const RandomHead c = random_head(n, m, 32, 1.0);
      Arena arena;
      const Run<float> r = run<float>(c, iterations, arena);
      CHECK_FALSE(r.state.log_domain);
      CHECK(r.state.underflows == 0);
      CHECK(plan_error(r.plan, reference_plan(c, iterations)) < 3e-6);
    }
}

TEST_CASE("sharp scores stay in the exp domain and near the reference") {
  // Scores with a deviation of 25 (range about 200): rounding of float32 scores is 25 * 2^-23 * a
  // few, and the plan inherits that as a relative error.
  const RandomHead c = random_head(49, 49, 32, 5.0);
  Arena arena;
  const Run<float> r = run<float>(c, 10, arena);
  CHECK(plan_error(r.plan, reference_plan(c, 10)) < 1e-4);
}

TEST_CASE("scores that would overflow are computed in the log domain, finite and right") {
  // One dimension and large values: duals of neighbouring queries differ by hundreds.
  const RandomHead c = random_head(40, 40, 1, 40.0);
  Arena arena;
  const Run<float> r = run<float>(c, 30, arena);
  CHECK(r.state.log_domain);
  CHECK(r.state.underflows > 0);
  for (const float value : r.output.flat()) CHECK(std::isfinite(value));
  // Scores of size 5000 carry float32 rounding of 5000 * 2^-24 = 3e-4, amplified by the iterations.
  CHECK(plan_error(r.plan, reference_plan(c, 30)) < 2e-2);
}

TEST_CASE("rows sum to one, and columns approach N / M as iterations go on") {
  const RandomHead c = random_head(30, 20, 8, 1.5);
  double last = 1e9;
  for (const int iterations : {1, 4, 16, 64}) {
    Arena arena;
    const Run<double> r = run<double>(c, iterations, arena);
    const MarginalErrors errors = marginal_errors<double>(r.plan.rows());
    CHECK(errors.row_max < 1e-13);
    CHECK(errors.column_mean < last);
    CHECK(r.state.column_error == doctest::Approx(errors.column_mean).epsilon(1e-9));
    last = errors.column_mean;
  }
  CHECK(last < 1e-6);
}

TEST_CASE("all-equal scores give the uniform plan and equal outputs") {
  RandomHead c = random_head(6, 9, 4, 1.0);
  for (double& x : c.k.flat()) x = 0.5;
  Arena arena;
  const Run<float> r = run<float>(c, 5, arena);
  for (const float value : r.plan.flat()) CHECK(value == doctest::Approx(1.0 / 9).epsilon(1e-6));
}

TEST_CASE("no keys give zeros and a single token attends to itself") {
  Arena arena;
  const Tensor<float> q({3, 4}), k({0, 4}), v({0, 2});
  Tensor<float> output({3, 2});
  for (float& x : output.flat()) x = 7;
  sinkhorn_attention<float>({q.rows(), MatrixView<const float>(k.data(), 0, 4),
                             MatrixView<const float>(v.data(), 0, 2), 1.0f},
                            3, output.rows(), arena);
  for (const float x : output.flat()) CHECK(x == 0);

  const RandomHead one = random_head(1, 1, 4, 3.0);
  const Run<float> r = run<float>(one, 3, arena);
  CHECK(r.plan[0] == doctest::Approx(1).epsilon(1e-6));
  CHECK(r.output[2] == doctest::Approx(one.v[2]).epsilon(1e-6));
}

TEST_CASE("with slack, float32 stays within 3e-6 of the log domain in float64") {
  for (const auto& [n, m] : std::vector<std::pair<int, int>>{{49, 49}, {64, 33}, {17, 80}})
    for (const int iterations : {1, 3, 10})
      for (const double slack : {0.01, 1.0, 100.0}) {
        const RandomHead c = random_head(n, m, 32, 1.0);
        Arena arena;
        const Run<float> r = run<float>(c, iterations, arena, slack);
        CHECK_FALSE(r.state.log_domain);
        CHECK(plan_error(r.plan, reference_plan(c, iterations, slack)) < 3e-6);
      }
}

TEST_CASE("with slack, scores that would overflow are computed in the log domain") {
  const RandomHead c = random_head(40, 40, 1, 40.0);
  Arena arena;
  const Run<float> r = run<float>(c, 30, arena, 0.5);
  CHECK(r.state.log_domain);
  for (const float value : r.output.flat()) CHECK(std::isfinite(value));
  CHECK(plan_error(r.plan, reference_plan(c, 30, 0.5)) < 2e-2);  // as without slack
}

TEST_CASE("rows sum to one, and columns to at most (1 + c) N / M once the iterations converge") {
  const RandomHead c = random_head(30, 20, 8, 1.5);
  for (const double slack : {0.1, 0.5, 3.0}) {
    Arena arena;
    const Run<double> r = run<double>(c, 400, arena, slack);
    CHECK(r.state.column_error < 1e-9);
    CHECK(marginal_errors<double>(r.plan.rows()).row_max < 1e-13);
    double most = 0;
    for (std::int64_t j = 0; j < 20; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < 30; ++i) sum += r.plan.rows()(i, j);
      most = std::max(most, sum);
    }
    CHECK(most <= (1 + slack) * 1.5 * (1 + 1e-8));
    CHECK(most > 1.5 * 1.01);  // and the freedom is used
  }
}

TEST_CASE("slack 0 is Sinkhorn to the last bit, and a large slack approaches softmax") {
  const RandomHead c = random_head(20, 30, 8, 1.5);
  Arena arena;
  const Run<float> none = run<float>(c, 5, arena), zero = run<float>(c, 5, arena, 0.0);
  for (std::int64_t i = 0; i < none.plan.size(); ++i) CHECK(none.plan[i] == zero.plan[i]);
  const Run<double> softmax = run<double>(c, 0, arena);
  double last = 1e3;
  for (const double slack : {1.0, 1e2, 1e4, 1e6}) {
    const double error = plan_error(run<double>(c, 5, arena, slack).plan, softmax.plan);
    CHECK(error < last);
    last = error;
  }
  CHECK(last < 1e-5);  // the columns of a plan between them differ by a factor of 1 + O(1 / c)
}

TEST_CASE("a cut loop stops where its limit allows it, in both domains, to the byte") {
  for (const bool overflows : {false, true}) {
    const RandomHead c = overflows ? random_head(40, 40, 1, 40.0) : random_head(49, 33, 32, 1.0);
    const Tensor<float> q = to<float>(c.q), k = to<float>(c.k), v = to<float>(c.v);
    const AttentionHead<float> head{q.rows(), k.rows(), v.rows(), static_cast<float>(c.scale)};
    Arena arena;
    const float before = run<float>(c, 3, arena).state.column_error;
    for (const bool stops : {true, false}) {
      Tensor<float> output({q.shape()[0], 8});
      SinkhornCut<float> cut{.iterations = 4, .limit = (stops ? 1.01F : 0.99F) * before};
      const bool left = cut_sinkhorn_attention<float>(head, 30, cut, output.rows(), arena);
      CHECK(cut.stopped == stops);
      CHECK(cut.error == doctest::Approx(before).epsilon(1e-3));
      const Run<float> expected = run<float>(c, stops ? 4 : 30, arena);
      CHECK(left == expected.state.log_domain);  // four iterations may do without
      for (std::size_t i = 0; i < output.flat().size(); ++i)
        REQUIRE(output.flat()[i] == expected.output.flat()[i]);
    }
  }
}

TEST_CASE("a cut loop without keys is zero and stops") {
  Arena arena;
  const Tensor<float> q({3, 4}), k({0, 4}), v({0, 2});
  Tensor<float> output({3, 2});
  for (float& x : output.flat()) x = 7;
  SinkhornCut<float> cut{.iterations = 1};
  CHECK_FALSE(cut_sinkhorn_attention<float>({q.rows(), MatrixView<const float>(k.data(), 0, 4),
                                             MatrixView<const float>(v.data(), 0, 2), 1.0f},
                                            3, cut, output.rows(), arena));
  CHECK(cut.stopped);
  for (const float x : output.flat()) CHECK(x == 0);
}
