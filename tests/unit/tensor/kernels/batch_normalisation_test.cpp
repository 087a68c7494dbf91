#include "tensor/kernels/batch_normalisation.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/kernel_operands.h"

using namespace asap::base;
using namespace asap::tensor;
using namespace asap::test;

namespace {

constexpr std::int64_t kRows = 29, kColumns = 37;

template <class T>
struct Problem {
  Tensor<T> x = random_tensor<T>({kRows, kColumns}, 1, 2.0), gain = random_tensor<T>({kColumns}, 2),
            offset = random_tensor<T>({kColumns}, 3), dy = random_tensor<T>({kRows, kColumns}, 4);
  Tensor<T> mean{{kColumns}}, variance{{kColumns}};
  ColumnNorm<T> norm;

  explicit Problem(bool relu) : norm{gain.flat(), offset.flat(), 0.25, relu} {
    for (std::int64_t i = 0; i < kRows; ++i) x.rows()(i, 5) += T(3);
    column_moments<T>(x.rows(), mean.flat(), variance.flat());
  }
};

}  // namespace

TEST_CASE_TEMPLATE("batch normalisation and its product equal loops in double", T, float, double) {
  for (const bool relu : {false, true}) {
    const Problem<T> f(relu);
    Tensor<T> y({kRows, kColumns}), dx({kRows, kColumns}), dgain({kColumns}), doffset({kColumns});
    normalise_columns<T>(f.norm, f.x.rows(), f.mean.flat(), f.variance.flat(), y.rows());
    NormaliseColumnsVjp<T> pass{.x = f.x.rows(),
                                .mean = f.mean.flat(),
                                .variance = f.variance.flat(),
                                .dy = f.dy.rows(),
                                .dx = dx.rows(),
                                .dgain = dgain.flat(),
                                .doffset = doffset.flat()};
    normalise_columns_vjp<T>(f.norm, pass);
    Tensor<T> twice = dx;
    pass.dx = twice.rows();
    pass.accumulate_dx = true;
    normalise_columns_vjp<T>(f.norm, pass);
    for (std::int64_t c = 0; c < kColumns; ++c) {
      double mean = 0, variance = 0, by_gain = 0, by_offset = 0;
      for (std::int64_t i = 0; i < kRows; ++i) mean += double(f.x.rows()(i, c)) / kRows;
      for (std::int64_t i = 0; i < kRows; ++i)
        variance += std::pow(f.x.rows()(i, c) - mean, 2) / kRows;
      CHECK(std::abs(f.mean[c] - mean) < kUlps<T>);
      CHECK(std::abs(f.variance[c] - variance) < kUlps<T> * variance);
      const double deviation = std::sqrt(variance + 0.25);
      double u[kRows], dz[kRows];
      for (std::int64_t i = 0; i < kRows; ++i) {
        u[i] = (f.x.rows()(i, c) - mean) / deviation;
        const double z = f.gain[c] * u[i] + f.offset[c];
        REQUIRE(std::abs(y.rows()(i, c) - (relu ? std::max(z, 0.0) : z)) < kUlps<T>);
        dz[i] = relu && z <= 0 ? 0 : f.dy.rows()(i, c);
        by_gain += dz[i] * u[i];
        by_offset += dz[i];
      }
      CHECK(std::abs(dgain[c] - by_gain) < kUlps<T>);
      CHECK(std::abs(doffset[c] - by_offset) < kUlps<T>);
      for (std::int64_t i = 0; i < kRows; ++i) {
        const double expected =
            f.gain[c] / deviation * (dz[i] - by_offset / kRows - u[i] * by_gain / kRows);
        REQUIRE(std::abs(dx.rows()(i, c) - expected) < kUlps<T>);
        REQUIRE(std::abs(twice.rows()(i, c) - 2 * expected) < 2 * kUlps<T>);
      }
    }
  }
}

TEST_CASE("normalising in place gives the same bytes") {
  Problem<float> f(true);
  Tensor<float> y({kRows, kColumns});
  normalise_columns<float>(f.norm, f.x.rows(), f.mean.flat(), f.variance.flat(), y.rows());
  normalise_columns<float>(f.norm, f.x.rows(), f.mean.flat(), f.variance.flat(), f.x.rows());
  CHECK(std::ranges::equal(f.x.flat(), y.flat()));
}

TEST_CASE("a constant column becomes its offset and passes no gradient") {
  Problem<double> f(false);
  for (std::int64_t i = 0; i < kRows; ++i) f.x.rows()(i, 0) = 1024;
  column_moments<double>(f.x.rows(), f.mean.flat(), f.variance.flat());
  CHECK(f.variance[0] == 0);
  Tensor<double> y({kRows, kColumns});
  normalise_columns<double>(f.norm, f.x.rows(), f.mean.flat(), f.variance.flat(), y.rows());
  CHECK(y[0] == doctest::Approx(f.offset[0]));
}

TEST_CASE("matrices and channels that do not fit are refused") {
  Problem<float> f(false);
  Tensor<float> other({kColumns - 1}), y({kRows, kColumns});
  expect_error<InternalError>(
      [&] { column_moments<float>(f.x.rows(), other.flat(), f.variance.flat()); },
      {"shapes do not fit"});
  expect_error<InternalError>(
      [&] {
        column_moments<float>({f.x.data(), 0, kColumns}, f.mean.flat(), f.variance.flat());
      },
      {"shapes do not fit"});
  expect_error<InternalError>(
      [&] { normalise_columns<float>(f.norm, f.x.rows(), other.flat(), other.flat(), y.rows()); },
      {"shapes do not fit"});
}
