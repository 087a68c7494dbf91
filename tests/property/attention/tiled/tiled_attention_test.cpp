#include "attention/tiled/tiled_attention.h"

#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/random.h"
#include "tensor/core/tensor.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;

namespace {

/// A storage, and whether the map has the feature `log_sum_exp`: without it the head takes one
/// pass.
struct Way {
  SweepOptions options;
  bool log_sum_exp = true;
};

/// A random head, flat to sharp, with a compiled dual map of random slices and weights.
struct Head {
  int n, m, width, slices;
  Tensor<float> q, k, v, query_slices, key_slices;
  std::vector<float> weights;

  Head()
      : n(*rc::gen::inRange(1, 130)),
        m(*rc::gen::inRange(1, 130)),
        width(*rc::gen::inRange(1, 20)),
        slices(*rc::gen::inRange(1, 7)),
        q({n, width}),
        k({m, width}),
        v({m, 3}),
        query_slices({slices, width}),
        key_slices({slices, width}) {
    const double sharpness = *rc::gen::inRange(0, 30) * 0.1;
    RandomStream random(*rc::gen::arbitrary<std::uint64_t>(), RandomPurpose::test);
    const auto fill = [&](Tensor<float>& tensor, double size) {
      for (float& x : tensor.flat()) x = static_cast<float>(size * random.normal());
    };
    fill(q, sharpness);
    fill(k, sharpness);
    fill(v, 1);
    fill(query_slices, 0.5);
    fill(key_slices, 0.5);
    weights.resize(static_cast<std::size_t>(DualFeatures().count(slices)));
    for (float& weight : weights) weight = static_cast<float>(0.1 * random.normal());
  }

  Tensor<float> compiled(const Way& way) const {
    Arena arena;
    Tensor<float> output({n, 3});
    DualMap<float> map{DualFeatures(), query_slices.rows(), key_slices.rows(), weights};
    if (!way.log_sum_exp) {
      map.features.log_sum_exp = false;
      map.weights = map.weights.first(weights.size() - 1);
    }
    tiled_compiled_attention(map, {q.rows(), k.rows(), v.rows(), 0.3f}, 0, way.options,
                             output.rows(), arena);
    return output;
  }
};

constexpr Way kWays[] = {
    {{.storage = GibbsStorage::recompute}}, {{.storage = GibbsStorage::single}}, {{}, false}};

void permute_rows(Tensor<float>& x, const std::vector<int>& order) {
  Tensor<float> out(x.shape());
  for (std::size_t i = 0; i < order.size(); ++i)
    std::ranges::copy(x.rows().row(order[i]), out.rows().row(static_cast<std::int64_t>(i)).begin());
  x = std::move(out);
}

std::vector<int> draw_order(int count) {
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(*rc::gen::arbitrary<std::uint64_t>(), RandomPurpose::test, 1);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

/// Scores up to about 80 carry float errors of 1e-5 into the exponentials, of values of size 1.
constexpr double kTolerance = 3e-4;

}  // namespace

TEST_CASE(
    "the compiled operator averages: constant values come back, and no output leaves the values' "
    "range") {
  CHECK(rc::check([] {
    Head head;
    const auto [low, high] = std::ranges::minmax(head.v.flat());
    for (const Way& way : kWays) {
      const Tensor<float> output = head.compiled(way);
      for (const float value : output.flat())
        RC_ASSERT(value >= low - kTolerance && value <= high + kTolerance);
    }
    for (float& value : head.v.flat()) value = 7;
    for (const Way& way : kWays) {
      const Tensor<float> output = head.compiled(way);
      for (const float value : output.flat()) RC_ASSERT(std::abs(value - 7) < 1e-5);
    }
  }));
}

TEST_CASE(
    "permuting queries permutes the compiled operator's outputs, permuting keys with values "
    "changes nothing") {
  CHECK(rc::check([] {
    Head head;
    const auto queries = draw_order(head.n), keys = draw_order(head.m);
    Head permuted = head;
    permute_rows(permuted.q, queries);
    permute_rows(permuted.k, keys);
    permute_rows(permuted.v, keys);
    for (const Way& way : kWays) {
      Tensor<float> expected = head.compiled(way);
      permute_rows(expected, queries);
      const Tensor<float> output = permuted.compiled(way);
      for (std::size_t i = 0; i < output.flat().size(); ++i)
        RC_ASSERT(std::abs(output.flat()[i] - expected.flat()[i]) < kTolerance);
    }
  }));
}
