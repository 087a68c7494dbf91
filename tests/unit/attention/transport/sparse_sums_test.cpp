#include "attention/transport/sparse_sums.h"

#include <cmath>
#include <limits>
#include <utility>
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
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> columns;
  std::vector<T> kept;
  std::vector<double> expected;
  for (std::int32_t i = 0; i < 70; ++i) {  // row i has i entries, some columns apart
    double sum = 0;
    for (std::int32_t k = 0; k < i; ++k) {
      const std::int32_t j = i < 48 ? 2 * k : k + 20;
      columns.push_back(j);
      kept.push_back(entries.rows()(i, j));
      sum += double(entries.rows()(i, j)) * double(x[j]);
    }
    starts.push_back(std::ssize(columns));
    expected.push_back(sum);
  }
  Arena arena;
  const SlicedRows<T> matrix =
      slice<T>({starts, columns, kept}, kColumns, SlicedLines::rows, arena);
  std::vector<T> sums(70);
  sparse_row_sums<T>(matrix, x.flat(), sums);
  for (std::size_t i = 0; i < 70; ++i) CHECK(std::abs(sums[i] - expected[i]) < kUlps<T>);
  CHECK(sums[0] == 0);
  // What rows do not read does not reach them.
  Tensor<T> broken = x;
  broken[0] = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> others(70);
  sparse_row_sums<T>(matrix, broken.flat(), others);
  for (std::size_t i = 48; i < 70; ++i) CHECK(others[i] == sums[i]);
  sums.pop_back();
  CHECK_THROWS_AS(sparse_row_sums<T>(matrix, x.flat(), sums), asap::base::InternalError);
}

TEST_CASE_TEMPLATE("scalings and errors of masses equal plain loops at every length", T, float,
                   double) {
  const T infinity = std::numeric_limits<T>::infinity();
  const Tensor<T> sums = random_tensor<T>({70}, 5), v = random_tensor<T>({70}, 6);
  for (std::size_t count = 0; count <= 70; ++count) {
    std::vector<T> masses(count), at(count), factors(count), out(count);
    double expected = 0;
    for (std::size_t k = 0; k < count; ++k) {
      masses[k] = k % 5 == 2 ? T(0) : T(1) + static_cast<T>(k) / 16;
      at[k] = k % 10 == 2 ? infinity : std::abs(sums[k]) + T(1);  // of a mass of 0
      factors[k] = std::abs(v[k]);
      if (masses[k] > T(0)) expected += std::abs(double(factors[k]) * at[k] / masses[k] - 1);
    }
    scale_to_masses<T>(masses, at, out);
    for (std::size_t k = 0; k < count; ++k)
      CHECK(out[k] == (masses[k] > T(0) ? masses[k] / at[k] : T(0)));
    CHECK(std::abs(total_mass_error<T>(masses, at, factors) - expected) < 100 * kUlps<T>);
  }
}

TEST_CASE_TEMPLATE("what is kept of a row equals a plain loop at every length", T, float, double) {
  const Tensor<T> scores = random_tensor<T>({70}, 3), g = random_tensor<T>({70}, 4);
  for (std::size_t count = 0; count <= 70; ++count)
    for (const T least : {T(-10), T(0), T(10)}) {
      Tensor<T> row = scores;
      if (count > 5) row[5] = std::numeric_limits<T>::quiet_NaN();
      std::vector<std::int32_t> columns(count + kKeptSlack);
      std::vector<T> exponents(columns.size());
      const std::int64_t kept = keep_larger<T>(std::as_const(row).flat().first(count), g.flat(),
                                               T(2), least, columns, exponents);
      std::int64_t next = 0;
      for (std::size_t j = 0; j < count; ++j) {
        if (!(row[j] + g[j] > least)) continue;
        REQUIRE(next < kept);
        CHECK(columns[next] == static_cast<std::int32_t>(j));
        CHECK(std::abs(exponents[next++] - (row[j] + g[j] + T(2))) < kUlps<T>);
      }
      CHECK(next == kept);
    }
}
