#include "attention/transport/tiled_transport.h"

#include <cmath>

#include <doctest/doctest.h>

#include "attention/transport/transport_layer.h"
#include "support/kernel_operands.h"
#include "support/matching_pairs.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

namespace {

struct Descriptors {
  Tensor<float> queries, keys;
  float bin = 2.5F;

  DescriptorTransport view() const { return {queries.rows(), keys.rows(), bin}; }
  /// Their problem in double.
  MatchingPair problem() const {
    const std::int64_t n = queries.rows().rows, m = keys.rows().rows;
    Tensor<double> scores({n, m});
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < m; ++j) {
        double sum = 0;
        for (std::int64_t d = 0; d < queries.rows().cols; ++d)
          sum += double(queries.rows()(i, d)) * double(keys.rows()(j, d));
        scores.rows()(i, j) = sum;
      }
    return pair_of_scores(std::move(scores), double(bin));
  }
};

Descriptors random_descriptors(std::int64_t n, std::int64_t m, std::int64_t width, float scale) {
  return {random_tensor<float>({n, width}, 3, scale), random_tensor<float>({m, width}, 4, scale)};
}

}  // namespace

TEST_CASE("tiled transport gives the duals of the loop over stored scores") {
  Arena arena;
  for (const auto& [n, m] : {std::pair{1, 1}, std::pair{40, 97}, std::pair{130, 25}})
    for (const int iterations : {0, 1, 20}) {
      const Descriptors descriptors = random_descriptors(n, m, 7, 1.2F);
      const MatchingPair pair = descriptors.problem();
      const auto problem = pair.problem();
      OwnDuals<double> expected(problem);
      transport<double>(problem, iterations, expected.view(), arena);
      std::vector<float> f(static_cast<std::size_t>(n + 1)), g(static_cast<std::size_t>(m + 1));
      REQUIRE(tiled_transport(descriptors.view(), iterations, 1, {f, g}, arena));
      // Duals are sums of up to 21 rounded logarithms.
      for (std::int64_t i = 0; i <= n; ++i) CHECK(std::abs(f[i] - expected.rows[i]) < 2e-5);
      for (std::int64_t j = 0; j <= m; ++j) CHECK(std::abs(g[j] - expected.columns[j]) < 2e-5);
      std::vector<float> again_f(f.size()), again_g(g.size());
      REQUIRE(tiled_transport(descriptors.view(), iterations, 3, {again_f, again_g}, arena));
      CHECK(again_f == f);
      CHECK(again_g == g);
    }
}

TEST_CASE("tiled transport keeps to the range of float where a dustbin's score is long") {
  Arena arena;
  Descriptors descriptors = random_descriptors(60, 60, 64, 1);
  for (float& value : descriptors.queries.flat()) value *= 3;  // |q| about 24, |k| about 1
  for (float& value : descriptors.keys.flat()) value /= 8;
  descriptors.bin = 9;
  std::vector<float> f(61), g(61);
  CHECK(tiled_transport(descriptors.view(), 20, 1, {f, g}, arena));
}

TEST_CASE("tiled transport says when the range of float does not suffice") {
  Arena arena;
  const Descriptors descriptors = random_descriptors(30, 30, 4, 20);  // scores up to thousands
  std::vector<float> f(31, 7), g(31, 7);
  CHECK_FALSE(tiled_transport(descriptors.view(), 50, 1, {f, g}, arena));
  CHECK(f[0] == 7);
  CHECK_THROWS_AS(tiled_transport(descriptors.view(), 50, 1, {f, {}}, arena),
                  asap::base::InternalError);
}
