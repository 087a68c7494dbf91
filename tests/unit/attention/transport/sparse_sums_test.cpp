#include "attention/transport/sparse_sums.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "support/kernel_operands.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE_TEMPLATE("sums of rows of every length equal plain loops", T, float, double) {
  constexpr std::int32_t kColumns = 97;
  const Tensor<T> entries = random_tensor<T>({70, kColumns}, 1),
                  x = random_tensor<T>({kColumns}, 2);
  CompressedRows<T> matrix;
  matrix.starts.push_back(0);
  std::vector<double> expected;
  for (std::int32_t i = 0; i < 70; ++i) {  // row i has i entries, some columns apart
    double sum = 0;
    for (std::int32_t k = 0; k < i; ++k) {
      const std::int32_t j = i < 48 ? 2 * k : k + 20;
      matrix.columns.push_back(j);
      matrix.entries.push_back(entries.rows()(i, j));
      sum += double(entries.rows()(i, j)) * double(x[j]);
    }
    matrix.starts.push_back(std::ssize(matrix.columns));
    expected.push_back(sum);
  }
  std::vector<T> sums(70);
  sparse_row_sums<T>(matrix, x.flat(), sums);
  for (std::size_t i = 0; i < 70; ++i) CHECK(std::abs(sums[i] - expected[i]) < kUlps<T>);
  CHECK(sums[0] == 0);
  sums.pop_back();
  CHECK_THROWS_AS(sparse_row_sums<T>(matrix, x.flat(), sums), asap::base::InternalError);
}
