#include "transport/potential_lanes.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "tensor/core/tensor.h"
#include "transport/kantorovich_1d.h"
#include "unit/transport/line_problem.h"

namespace asap::test {
namespace {

TEST_CASE(
    "potentials of many short pairs at once equal those of one pair at a time, ties included") {
  tensor::Arena scratch;
  const std::pair<std::int64_t, std::int64_t> sizes[] = {{1, 1},     {1, 9},   {2, 2},   {7, 3},
                                                         {16, 16},   {49, 49}, {49, 60}, {196, 196},
                                                         {300, 512}, {512, 77}};
  for (const auto& size : sizes)
    for (const std::int64_t pairs : {1, 4, 16})
      for (const int levels : {0, 5}) {
        const auto n = size.first;
        const auto m = size.second;
        tensor::Tensor<float> s({pairs, n}), t({pairs, m});
        std::vector<float> weights(pairs), sum(n, 1.0f);
        std::vector<double> expected(n, 1.0), phi(n);
        for (std::int64_t l = 0; l < pairs; ++l) {
          Line line = random_line(static_cast<std::uint32_t>(100 + l), n, m, levels);
          std::ranges::copy(line.s, s.rows().row(l).begin());
          std::ranges::copy(line.t, t.rows().row(l).begin());
          std::ranges::copy(s.rows().row(l), line.s.begin());
          std::ranges::copy(t.rows().row(l), line.t.begin());
          weights[l] = 0.1f * static_cast<float>(l + 1);
          transport::kantorovich_potential_1d<double>(line.s, line.t, phi, scratch);
          for (std::int64_t i = 0; i < n; ++i) expected[i] += weights[l] * phi[i];
        }
        transport::add_kantorovich_potentials(s.rows(), t.rows(), weights, sum, scratch);
        INFO(n << " and " << m << " samples, " << pairs << " pairs, levels " << levels);
        // Rounding to the grid moves a sample of size 3 by 3e-7, a potential by that times a slope
        // of size 3.
        for (std::int64_t i = 0; i < n; ++i)
          REQUIRE(std::abs(sum[i] - expected[i]) < 2e-6 * static_cast<double>(pairs * pairs));
      }
}

}  // namespace
}  // namespace asap::test
