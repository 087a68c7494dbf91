#include <cmath>
#include <numeric>
#include <random>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "attention/interface/trainable_attention.h"
#include "attention/kinds/attention_kinds.h"
#include "base/random.h"
#include "tensor/core/tensor.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;

namespace {

/// Sizes, sharpness and iterations of a random attention head.
struct Sizes {
  int n, m, width, iterations;
  double sharpness;
  std::uint64_t seed;
};

Sizes draw_sizes() {
  return {*rc::gen::inRange(1, 60),       *rc::gen::inRange(1, 60),
          *rc::gen::inRange(1, 20),       *rc::gen::inRange(0, 12),
          *rc::gen::inRange(0, 40) * 0.1, *rc::gen::arbitrary<std::uint64_t>()};
}

struct Head {
  Tensor<double> q, k, v;

  explicit Head(const Sizes& s) : q({s.n, s.width}), k({s.m, s.width}), v({s.m, 3}) {
    RandomStream random(s.seed, RandomPurpose::test);
    for (double& x : q.flat()) x = s.sharpness * random.normal();
    for (double& x : k.flat()) x = s.sharpness * random.normal();
    for (double& x : v.flat()) x = random.normal();
  }
  AttentionHead<double> view() const { return {q.rows(), k.rows(), v.rows(), 0.3}; }
};

Tensor<double> permuted_rows(const Tensor<double>& x, const std::vector<int>& order) {
  Tensor<double> out(x.shape());
  for (std::size_t i = 0; i < order.size(); ++i)
    std::ranges::copy(x.rows().row(order[i]), out.rows().row(static_cast<std::int64_t>(i)).begin());
  return out;
}

std::vector<int> draw_order(int count, std::uint64_t seed) {
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, RandomPurpose::test, 1);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

Tensor<double> output_of(const TrainableAttention<double>& kind, const Head& head) {
  Arena arena;
  AttentionEvidence evidence;
  Tensor<double> output({head.q.shape()[0], 3});
  kind.forward(head.view(), output.rows(), arena, evidence);
  return output;
}

Tensor<double> plan_of(const TrainableAttention<double>& kind, const Head& head) {
  Arena arena;
  Tensor<double> plan({head.q.shape()[0], head.k.shape()[0]});
  kind.plan(head.view(), plan.rows(), arena);
  return plan;
}

/// Float64 sums in another order, through up to a dozen iterations.
bool close(const Tensor<double>& a, const Tensor<double>& b) {
  for (std::int64_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) < 1e-9)) return false;
  return true;
}

}  // namespace

TEST_CASE("Sinkhorn plans are non-negative, their rows sum to one and their mass is N") {
  CHECK(rc::check([] {
    const Sizes sizes = draw_sizes();
    const Head head(sizes);
    const Tensor<double> plan = plan_of(*make_sinkhorn_attention<double>(sizes.iterations), head);
    for (int i = 0; i < sizes.n; ++i) {
      double total = 0;
      for (const double entry : plan.rows().row(i)) {
        RC_ASSERT(entry >= 0);
        total += entry;
      }
      RC_ASSERT(std::abs(total - 1) < 1e-12);
    }
  }));
}

TEST_CASE("permuting queries permutes outputs, permuting keys with their values changes nothing") {
  CHECK(rc::check([] {
    const Sizes sizes = draw_sizes();
    const Head head(sizes);
    const auto queries = draw_order(sizes.n, sizes.seed),
               keys = draw_order(sizes.m, sizes.seed + 1);
    Head permuted = head;
    permuted.q = permuted_rows(head.q, queries);
    permuted.k = permuted_rows(head.k, keys);
    permuted.v = permuted_rows(head.v, keys);
    for (const auto& kind :
         {make_softmax_attention<double>(), make_sinkhorn_attention<double>(sizes.iterations),
          make_espformer_attention<double>(0, {})})
      RC_ASSERT(close(permuted_rows(output_of(*kind, head), queries), output_of(*kind, permuted)));
  }));
}

TEST_CASE("outputs are averages: constant values come back, and values enter linearly") {
  CHECK(rc::check([] {
    const Sizes sizes = draw_sizes();
    Head head(sizes);
    const auto kind = make_sinkhorn_attention<double>(sizes.iterations);
    const Tensor<double> once = output_of(*kind, head);
    for (double& x : head.v.flat()) x = 2 * x + 5;
    const Tensor<double> moved = output_of(*kind, head);
    for (std::int64_t i = 0; i < once.size(); ++i)
      RC_ASSERT(std::abs(moved[i] - (2 * once[i] + 5)) < 1e-9);
  }));
}

TEST_CASE("every further iteration leaves columns no farther from their marginal") {
  CHECK(rc::check([] {
    const Sizes sizes = draw_sizes();
    const Head head(sizes);
    Arena arena;
    Tensor<double> output({sizes.n, 3});
    double last = INFINITY;
    for (const int iterations : {0, 1, 2, 4, 8}) {
      AttentionEvidence evidence;
      make_sinkhorn_attention<double>(iterations)
          ->forward(head.view(), output.rows(), arena, evidence);
      // The l1 error of Sinkhorn's iterates never grows: each half-step is a contraction in l1.
      RC_ASSERT(evidence.column_error_sum <= last + 1e-12);
      last = evidence.column_error_sum;
    }
  }));
}
