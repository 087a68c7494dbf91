#include <doctest/doctest.h>

#include "attention/kinds/attention_kinds.h"
#include "attention/stored/sinkhorn_log_domain.h"
#include "autodiff/matmul_ops.h"
#include "autodiff/row_ops.h"
#include "gradient/gradient_check.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Sinkhorn attention spelled out in elementary operations: log domain, one tape node per update,
/// as one would write it in any framework. Scores: [N, M] -> plan [N, M].
Var<double> unrolled_plan(Var<double> scores, int iterations) {
  const std::int64_t n = scores.shape()[0], m = scores.shape()[1];
  Tape<double>& tape = scores.tape();
  const TensorView<double> log_b = tape.allocate({1});
  log_b.data[0] = std::log(static_cast<double>(n) / static_cast<double>(m));
  Var<double> f = scale(log_sum_exp_rows(scores), -1.0);  // [N, 1]
  Var<double> g;
  Var<double> logits = add(scores, f);
  for (int t = 0; t < iterations; ++t) {
    const Var<double> columns = transpose(add(scores, f), 0, 1);            // [M, N]
    g = add(scale(log_sum_exp_rows(columns), -1.0), tape.constant(log_b));  // [M, 1]
    const Var<double> with_g = add(scores, reshape(g, {1, m}));
    f = scale(log_sum_exp_rows(with_g), -1.0);
    logits = add(with_g, f);
  }
  return exponential(logits);
}

struct HeadCase {
  Tensor<double> q, k, v;
  double scale;
};

HeadCase make_case(std::int64_t n, std::int64_t m, std::int64_t d, double sharpness) {
  return {random_tensor({n, d}, 1, sharpness), random_tensor({m, d}, 2, sharpness),
          random_tensor({m, d + 1}, 3), 1.0 / std::sqrt(static_cast<double>(d))};
}

struct HeadResult {
  Tensor<double> output, dq, dk, dv;
};

/// Runs an attention kind forward and backward with the output gradient of weighted_sum.
HeadResult run_attention(const TrainableAttention<double>& kind, const HeadCase& c) {
  Arena arena;
  AttentionEvidence evidence;
  const AttentionHead<double> head{c.q.rows(), c.k.rows(), c.v.rows(), c.scale};
  HeadResult r{Tensor<double>({c.q.shape()[0], c.v.shape()[1]}), Tensor<double>(c.q.shape()),
               Tensor<double>(c.k.shape()), Tensor<double>(c.v.shape())};
  const auto state = kind.forward(head, r.output.rows(), arena, evidence);
  Tape<double> tape;
  const Var<double> leaf = tape.leaf(r.output.view());
  tape.backward(weighted_sum(leaf));
  kind.vjp(head, state, r.output.rows(), tape.gradient_of(leaf).rows(),
           {r.dq.rows(), r.dk.rows(), r.dv.rows(), false}, arena);
  return r;
}

HeadResult run_unrolled(const HeadCase& c, int iterations) {
  Tape<double> tape;
  const Var<double> q = tape.leaf(c.q.view()), k = tape.leaf(c.k.view()), v = tape.leaf(c.v.view());
  const Var<double> scores = scale(matmul(q, k, Transpose::no, Transpose::yes), c.scale);
  const Var<double> output = matmul(unrolled_plan(scores, iterations), v);
  tape.backward(weighted_sum(output));
  const auto copy = [](TensorView<const double> view) {
    Tensor<double> out(view.shape);
    std::copy_n(view.data, view.size(), out.data());
    return out;
  };
  return {copy(output.value()), copy(tape.gradient_of(q)), copy(tape.gradient_of(k)),
          copy(tape.gradient_of(v))};
}

double largest(const Tensor<double>& x) {
  double size = 0;
  for (const double value : x.flat()) size = std::max(size, std::abs(value));
  return size;
}

double difference(const Tensor<double>& a, const Tensor<double>& b) {
  double error = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) error = std::max(error, std::abs(a[i] - b[i]));
  return error;
}

/// Differences relative to the largest gradient of all: with one query or one key those of the
/// scores vanish exactly, and only rounding is left of them.
void check_equal(const HeadResult& a, const HeadResult& b, double tolerance) {
  const double size = std::max({largest(b.dq), largest(b.dk), largest(b.dv)});
  CHECK(difference(a.output, b.output) < tolerance * largest(b.output));
  CHECK(difference(a.dq, b.dq) < tolerance * size);
  CHECK(difference(a.dk, b.dk) < tolerance * size);
  CHECK(difference(a.dv, b.dv) < tolerance * size);
}

}  // namespace

TEST_CASE("Sinkhorn attention equals the unrolled iterations in value and gradient to 1e-10") {
  for (const int iterations : {0, 1, 2, 10})
    for (const auto& size :
         std::vector<std::pair<int, int>>{{7, 7}, {5, 9}, {9, 4}, {1, 3}, {3, 1}})
      for (const double sharpness : {1.0, 4.0}) {
        const auto n = size.first;
        const auto m = size.second;
        CAPTURE(iterations);
        CAPTURE(n);
        CAPTURE(m);
        CAPTURE(sharpness);
        const HeadCase c = make_case(n, m, 6, sharpness);
        check_equal(run_attention(*make_sinkhorn_attention<double>(iterations), c),
                    run_unrolled(c, iterations), 1e-10);
      }
}

TEST_CASE("the log domain, to which hard heads fall back, has the exact value and gradient too") {
  for (const int iterations : {0, 1, 10})
    for (const double sharpness : {1.0, 20.0}) {
      const HeadCase c = make_case(6, 5, 3, sharpness);
      const AttentionHead<double> head{c.q.rows(), c.k.rows(), c.v.rows(), c.scale};
      Arena arena;
      HeadResult r{Tensor<double>({6, 4}), Tensor<double>(c.q.shape()), Tensor<double>(c.k.shape()),
                   Tensor<double>(c.v.shape())};
      SinkhornState<double> state =
          sinkhorn_attention<double>(head, iterations, r.output.rows(), arena);
      gemm<double>(Transpose::no, Transpose::yes, c.scale, c.q.rows(), c.k.rows(), 0.0,
                   state.gibbs);
      sinkhorn_log_domain<double>(head, state, r.output.rows(), arena);
      Tape<double> tape;
      const Var<double> leaf = tape.leaf(r.output.view());
      tape.backward(weighted_sum(leaf));
      sinkhorn_attention_vjp<double>(head, state, r.output.rows(), tape.gradient_of(leaf).rows(),
                                     {r.dq.rows(), r.dk.rows(), r.dv.rows(), false}, arena);
      check_equal(r, run_unrolled(c, iterations), 1e-10);
    }
}

TEST_CASE("without iterations Sinkhorn attention is softmax attention") {
  const HeadCase c = make_case(6, 8, 5, 2.0);
  check_equal(run_attention(*make_sinkhorn_attention<double>(0), c),
              run_attention(*make_softmax_attention<double>(), c), 1e-12);
}

TEST_CASE("the implicit gradient approaches the exact one as the iterations converge") {
  const HeadCase c = make_case(8, 8, 6, 1.0);
  double last = 1e3;
  for (const int iterations : {1, 3, 9, 100}) {
    const Tensor<double> exact = run_attention(*make_sinkhorn_attention<double>(iterations), c).dq;
    const Tensor<double> implicit =
        run_attention(*make_sinkhorn_attention<double>(iterations, true), c).dq;
    const double error = difference(implicit, exact) / largest(exact);
    CHECK(error < last);
    last = error;
  }
  CHECK(last < 1e-6);  // the implicit solver's own tolerance is 1e-7
}

namespace {

struct SlackResult {
  HeadResult head;
  double log_slack = 0;
  bool log_domain = false;
};

/// A head with slack c, forward and backward in one domain and with one lifetime of its Gibbs
/// kernel.
SlackResult run_slack(const HeadCase& c, double slack, int iterations, GibbsLifetime lifetime,
                      bool log_domain) {
  AttentionHead<double> head{c.q.rows(), c.k.rows(), c.v.rows(), c.scale};
  head.slack = slack;
  Arena arena;
  SlackResult r{{Tensor<double>({c.q.shape()[0], c.v.shape()[1]}), Tensor<double>(c.q.shape()),
                 Tensor<double>(c.k.shape()), Tensor<double>(c.v.shape())}};
  SinkhornState<double> state =
      sinkhorn_attention<double>(head, iterations, r.head.output.rows(), arena, lifetime);
  r.log_domain = state.log_domain;
  if (log_domain) {
    log_domain_scores<double>(head, state, arena);
    sinkhorn_log_domain<double>(head, state, r.head.output.rows(), arena);
  }
  Tape<double> tape;
  const Var<double> leaf = tape.leaf(r.head.output.view());
  tape.backward(weighted_sum(leaf));
  Tensor<double> learned({1, 1});
  sinkhorn_attention_vjp<double>(
      head, state, r.head.output.rows(), tape.gradient_of(leaf).rows(),
      {r.head.dq.rows(), r.head.dk.rows(), r.head.dv.rows(), false, learned.rows()}, arena);
  r.log_slack = learned[0];
  return r;
}

}  // namespace

TEST_CASE("with slack, both domains and all lifetimes of the Gibbs kernel have one gradient") {
  for (const int iterations : {1, 4})
    for (const double slack : {0.05, 1.0, 50.0})
      for (const auto& [n, m] : std::vector<std::pair<int, int>>{{7, 7}, {5, 9}, {9, 4}, {3, 1}}) {
        const HeadCase c = make_case(n, m, 6, 2.0);
        const SlackResult kept = run_slack(c, slack, iterations, GibbsLifetime::kept, false);
        CHECK_FALSE(kept.log_domain);
        for (const SlackResult& other :
             {run_slack(c, slack, iterations, GibbsLifetime::kept, true),
              run_slack(c, slack, iterations, GibbsLifetime::released, false),
              run_slack(c, slack, iterations, GibbsLifetime::released, true),
              run_slack(c, slack, iterations, GibbsLifetime::blocks, false)}) {
          check_equal(kept.head, other.head, 1e-10);
          CHECK(std::abs(kept.log_slack - other.log_slack) < 1e-10 * largest(kept.head.dq));
        }
      }
}

TEST_CASE("with slack, the log domain has the gradient of finite differences where scores are large") {
  // One dimension and large values: scores of several hundreds.
  const HeadCase c = make_case(12, 10, 1, 25.0);
  const double slack = 0.5, h = 1e-3;
  const SlackResult at = run_slack(c, slack, 3, GibbsLifetime::kept, true);
  const auto value = [&](double log_slack) {
    const SlackResult r = run_slack(c, std::exp(log_slack), 3, GibbsLifetime::kept, true);
    Tape<double> tape;
    return weighted_sum(tape.leaf(r.head.output.view())).value().data[0];
  };
  const double x = std::log(slack);
  const auto slope = [&](double step) { return (value(x + step) - value(x - step)) / (2 * step); };
  const double expected = (4 * slope(h) - slope(2 * h)) / 3;
  CHECK(at.log_slack == doctest::Approx(expected).epsilon(1e-6));
}
