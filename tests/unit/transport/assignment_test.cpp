#include "transport/assignment.h"

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "base/random.h"
#include "tensor/core/tensor.h"

using namespace asap;

namespace {

double total(tensor::MatrixView<const double> gains, const std::vector<std::int32_t>& columns) {
  double sum = 0;
  for (std::int64_t i = 0; i < gains.rows; ++i)
    if (columns[i] >= 0) sum += gains(i, columns[i]);
  return sum;
}

/// The largest sum over all one-to-one assignments, rows <= columns, by trying them all.
double best_total(tensor::MatrixView<const double> gains) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(gains.cols));
  std::iota(order.begin(), order.end(), 0);
  double best = total(gains, order);
  while (std::ranges::next_permutation(order).found) best = std::max(best, total(gains, order));
  return best;
}

tensor::Tensor<double> transposed(const tensor::Tensor<double>& x) {
  tensor::Tensor<double> out({x.shape()[1], x.shape()[0]});
  for (std::int64_t i = 0; i < x.shape()[0]; ++i)
    for (std::int64_t j = 0; j < x.shape()[1]; ++j) out.rows()(j, i) = x.rows()(i, j);
  return out;
}

}  // namespace

TEST_CASE("an assignment is the best of all, wide and tall, with ties too") {
  base::RandomStream random(3, base::RandomPurpose::test);
  for (int round = 0; round < 60; ++round) {
    const auto n = static_cast<std::int64_t>(1 + random.below(5));
    const std::int64_t m = n + static_cast<std::int64_t>(random.below(2));
    tensor::Tensor<double> gains({n, m});
    // Every third round has few different values, so ties.
    for (double& value : gains.flat())
      value = round % 3 == 0 ? static_cast<double>(random.below(3)) : random.uniform(-1, 1);
    const std::vector<std::int32_t> columns = transport::largest_assignment(gains.rows());
    std::vector<std::int32_t> used = columns;
    std::ranges::sort(used);
    CHECK(std::ranges::adjacent_find(used) == used.end());
    CHECK(used.front() >= 0);
    CHECK(total(gains.rows(), columns) == doctest::Approx(best_total(gains.rows())));
    const tensor::Tensor<double> tall = transposed(gains);
    const std::vector<std::int32_t> of_tall = transport::largest_assignment(tall.rows());
    CHECK(std::ranges::count(of_tall, -1) == m - n);
    CHECK(total(tall.rows(), of_tall) == doctest::Approx(best_total(gains.rows())));
  }
}

TEST_CASE("nothing is assigned to an empty set") {
  CHECK(transport::largest_assignment({nullptr, 2, 0}) == std::vector<std::int32_t>{-1, -1});
  CHECK(transport::largest_assignment({nullptr, 0, 2}).empty());
}
