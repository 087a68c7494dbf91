#include "evaluate/study/rank_bound.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "tensor/core/tensor.h"
#include "transport/marginals.h"
#include "transport/sinkhorn_log.h"

using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::tensor;

namespace {

template <class T>
Tensor<T> random_matrix(std::int64_t rows, std::int64_t cols, std::uint32_t which, double size) {
  Tensor<T> out({rows, cols});
  RandomStream random(5, RandomPurpose::test, which);
  for (T& value : out.flat()) value = static_cast<T>(size * random.normal());
  return out;
}

/// The largest singular value, by power iteration until it stands still.
double largest_singular_value(const Tensor<double>& a) {
  std::vector<double> x(static_cast<std::size_t>(a.rows().cols), 1);
  double size = 0;
  for (int step = 0; step < 5000; ++step) {
    std::vector<double> y(static_cast<std::size_t>(a.rows().rows)), z(x.size());
    for (std::int64_t i = 0; i < a.rows().rows; ++i)
      for (std::int64_t j = 0; j < a.rows().cols; ++j) y[i] += a.rows()(i, j) * x[j];
    for (std::int64_t i = 0; i < a.rows().rows; ++i)
      for (std::int64_t j = 0; j < a.rows().cols; ++j) z[j] += a.rows()(i, j) * y[i];
    size = 0;
    for (const double entry : z) size += entry * entry;
    size = std::sqrt(size);
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = z[j] / size;
  }
  return std::sqrt(size);
}

constexpr std::int64_t kTokens = 9, kWidth = 8, kHeads = 2, kHeadWidth = kWidth / kHeads;

struct Layer {
  Tensor<float> qkv, output;
  std::vector<float> scales;
};

Layer random_layer(double size) {
  return {random_matrix<float>(3 * kWidth, kWidth, 1, size),
          random_matrix<float>(kWidth, kWidth, 2, size),
          {0.5f, 0.7f}};
}

/// y(i, j) = sum_k x(i, k) w(j, k)
Tensor<double> multiplied(const Tensor<double>& x, MatrixView<const float> w) {
  Tensor<double> y({x.rows().rows, w.rows});
  for (std::int64_t i = 0; i < x.rows().rows; ++i)
    for (std::int64_t j = 0; j < w.rows; ++j)
      for (std::int64_t k = 0; k < w.cols; ++k) y.rows()(i, j) += x.rows()(i, k) * w(j, k);
  return y;
}

/// One layer of attention alone by loops, with Sinkhorn's plan after some iterations (0: softmax).
Tensor<double> layer_output(const Layer& layer, const Tensor<double>& x, int iterations) {
  const Tensor<double> qkv = multiplied(x, layer.qkv.rows());
  Tensor<double> mixed({kTokens, kWidth});
  for (std::int64_t head = 0; head < kHeads; ++head) {
    Tensor<double> scores({kTokens, kTokens});
    for (std::int64_t i = 0; i < kTokens; ++i)
      for (std::int64_t j = 0; j < kTokens; ++j)
        for (std::int64_t k = 0; k < kHeadWidth; ++k)
          scores.rows()(i, j) += double{layer.scales[head]} * qkv.rows()(i, head * kHeadWidth + k) *
                                 qkv.rows()(j, kWidth + head * kHeadWidth + k);
    Tensor<double> plan({kTokens, kTokens});
    if (iterations == 0) {
      for (std::int64_t i = 0; i < kTokens; ++i) {
        double sum = 0;
        for (std::int64_t j = 0; j < kTokens; ++j) sum += std::exp(scores.rows()(i, j));
        for (std::int64_t j = 0; j < kTokens; ++j)
          plan.rows()(i, j) = std::exp(scores.rows()(i, j)) / sum;
      }
    } else {
      const auto trace = asap::transport::sinkhorn_log<double>(scores.rows(), {}, iterations);
      asap::transport::plan_from_duals<double>(
          scores.rows(), trace.row_duals.rows().row(iterations),
          trace.column_duals.rows().row(iterations - 1), plan.rows());
    }
    for (std::int64_t i = 0; i < kTokens; ++i)
      for (std::int64_t j = 0; j < kTokens; ++j)
        for (std::int64_t k = 0; k < kHeadWidth; ++k)
          mixed.rows()(i, head * kHeadWidth + k) +=
              plan.rows()(i, j) * qkv.rows()(j, 2 * kWidth + head * kHeadWidth + k);
  }
  return multiplied(mixed, layer.output.rows());
}

double diameter_of(const Tensor<double>& x) {
  double largest = 0;
  for (std::int64_t i = 0; i < x.rows().rows; ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      double square = 0;
      for (std::int64_t k = 0; k < x.rows().cols; ++k)
        square += std::pow(x.rows()(i, k) - x.rows()(j, k), 2);
      largest = std::max(largest, square);
    }
  return std::sqrt(largest);
}

}  // namespace

TEST_CASE("the spectral bound lies above the largest singular value, and near it") {
  for (const std::uint32_t which : {1u, 2u, 3u}) {
    const Tensor<double> a = random_matrix<double>(12, 7, which, 3);
    const double exact = largest_singular_value(a), bound = spectral_bound(a.rows());
    CHECK(bound >= exact * (1 - 1e-12));
    CHECK(bound <= exact * std::pow(7, 1.0 / 128) * (1 + 1e-12));
  }
  CHECK(spectral_bound(Tensor<double>({3, 2}).rows()) == 0);
  // All singular values equal is the worst case: the bound is attained.
  Tensor<double> identity({4, 4});
  for (int i = 0; i < 4; ++i) identity.rows()(i, i) = 2;
  CHECK(spectral_bound(identity.rows()) == doctest::Approx(2 * std::pow(4, 1.0 / 128)));
}

TEST_CASE("the composite norm is the root of the largest column and row sums") {
  Tensor<double> a({2, 3});
  const double values[] = {1, -2, 3, -4, 5, -6};
  std::ranges::copy(values, a.data());
  CHECK(composite_norm(a.rows()) == doctest::Approx(std::sqrt(9.0 * 15.0)));
}

TEST_CASE("norms of a head are those of its products of weights") {
  const Layer layer = random_layer(0.6);
  const std::vector<HeadNorms> norms =
      head_norms(layer.qkv.rows(), layer.output.rows(), layer.scales);
  REQUIRE(norms.size() == kHeads);
  for (std::int64_t head = 0; head < kHeads; ++head) {
    Tensor<double> score({kWidth, kWidth}), value({kWidth, kWidth});
    for (std::int64_t i = 0; i < kWidth; ++i)
      for (std::int64_t j = 0; j < kWidth; ++j)
        for (std::int64_t k = head * kHeadWidth; k < (head + 1) * kHeadWidth; ++k) {
          score.rows()(i, j) +=
              double{layer.scales[head]} * layer.qkv.rows()(k, i) * layer.qkv.rows()(kWidth + k, j);
          value.rows()(i, j) +=
              double{layer.qkv.rows()(2 * kWidth + k, i)} * layer.output.rows()(j, k);
        }
    CHECK(norms[head].score == doctest::Approx(spectral_bound(score.rows())));
    CHECK(norms[head].value == doctest::Approx(spectral_bound(value.rows())));
    const CompositeNorms composite =
        composite_norms(layer.qkv.rows(), layer.output.rows(), layer.scales)[head];
    CHECK(composite.value == doctest::Approx(composite_norm(value.rows())));
    double largest = 0;
    for (std::int64_t j = 0; j < kWidth; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < kWidth; ++i) sum += std::abs(score.rows()(i, j));
      largest = std::max(largest, sum);
    }
    CHECK(composite.score == doctest::Approx(largest));
  }
}

TEST_CASE("no layer of softmax or Sinkhorn attention leaves tokens farther apart than the bound") {
  for (const double size : {0.05, 0.3, 1.0}) {
    const Layer layer = random_layer(size);
    const std::vector<HeadNorms> norms =
        head_norms(layer.qkv.rows(), layer.output.rows(), layer.scales);
    for (const int iterations : {0, 1, 7}) {
      Tensor<double> x = random_matrix<double>(kTokens, kWidth, 9, 1);
      for (int depth = 0; depth < 3; ++depth) {
        const double bound = next_diameter(norms, diameter_of(x));
        x = layer_output(layer, x, iterations);
        CAPTURE(size);
        CAPTURE(iterations);
        // Rounding of entries of size 10 in float64 leaves distances of this size.
        CHECK(diameter_of(x) <= bound + 1e-13);
        if (depth == 0) CHECK(diameter_of(x) > 1e-3 * bound);
      }
    }
  }
}

TEST_CASE("the bound falls doubly exponentially below one, and stays linear above") {
  const std::vector<HeadNorms> heads = {{2.0, 0.3}, {1.0, 0.2}};
  const double kappa = collapse_factor(heads);
  CHECK(kappa == doctest::Approx((2.0 * 0.3 + 1.0 * 0.2) / 4));
  double bound = 0.5;
  for (int depth = 1; depth <= 4; ++depth) {
    bound = next_diameter(heads, bound);
    const double power = std::pow(3, depth);
    const double closed = std::pow(kappa, (power - 1) / 2) * std::pow(0.5, power);
    CHECK(bound <= closed);
    CHECK(bound >= 0.8 * closed);  // tanh(x) >= x (1 - x² / 3), x <= .02 in the first layer
  }
  CHECK(next_diameter(heads, 1e3) == doctest::Approx(3e3));  // rows of any plan average values
}

TEST_CASE("the base of the paper's theorem is made of the largest head and the residual's square") {
  const std::vector<std::vector<CompositeNorms>> layers = {{{2, 3}, {1, 1}}, {{4, 2}, {1, 5}}};
  Tensor<float> tokens({2, 2});
  const float values[] = {5, 1, 3, 2};  // residual: 1 -.5, -1 .5
  std::ranges::copy(values, tokens.data());
  CHECK(theorem_base(layers, tokens.rows()) == doctest::Approx(4.0 * 8 * 2 * (2 * 1.5)));
}

TEST_CASE("the diameter is the largest distance of two tokens") {
  Tensor<float> tokens({3, 2});
  const float values[] = {0, 0, 3, 4, 1, 1};
  std::ranges::copy(values, tokens.data());
  CHECK(diameter(tokens.rows()) == doctest::Approx(5));
  CHECK(diameter(tokens.rows().block(0, 0, 1, 2)) == 0);
}
