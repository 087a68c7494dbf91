#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "attention/interface/trainable_attention.h"
#include "base/random.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/row_ops.h"

namespace asap::test {

using Matrix = std::vector<std::vector<double>>;

template <class T>
tensor::Tensor<T> random_kind_tensor(const tensor::Shape& shape, std::uint32_t which,
                                     double deviation = 1) {
  tensor::Tensor<T> out(shape);
  base::RandomStream random(13, base::RandomPurpose::test, which);
  for (T& value : out.flat()) value = static_cast<T>(deviation * random.normal());
  return out;
}

/// Queries, keys, values and what a kind learns, of one head.
struct KindCase {
  tensor::Tensor<double> q, k, v, learned;
  double scale = 0.6;
  int layer = 2;

  attention::AttentionHead<double> head() const {
    return {q.rows(), k.rows(), v.rows(), scale, learned.rows(), layer};
  }
};

inline KindCase random_kind_case(std::int64_t n, std::int64_t m,
                                 const attention::LearnedShape& learned) {
  return {
      random_kind_tensor<double>({n, 6}, 1), random_kind_tensor<double>({m, 6}, 2),
      random_kind_tensor<double>({m, 4}, 3),
      random_kind_tensor<double>({std::max<std::int64_t>(learned.rows, 1), learned.cols}, 4, 0.7)};
}

inline Matrix scores(tensor::MatrixView<const double> a, tensor::MatrixView<const double> b,
                     double scale) {
  Matrix s(a.rows, std::vector<double>(b.rows));
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < b.rows; ++j)
      for (std::int64_t k = 0; k < a.cols; ++k) s[i][j] += scale * a(i, k) * b(j, k);
  return s;
}

/// Rows and columns scaled in turn, by the book: T = 0 is softmax.
inline Matrix sinkhorn_by_the_book(const Matrix& s, int iterations) {
  Matrix plan = s;
  const std::size_t n = s.size(), m = s[0].size();
  const auto scale_rows = [&] {
    for (auto& row : plan) {
      double total = 0;
      for (const double x : row) total += x;
      for (double& x : row) x /= total;
    }
  };
  for (auto& row : plan)
    for (double& x : row) x = std::exp(x);
  scale_rows();
  for (int t = 0; t < iterations; ++t) {
    for (std::size_t j = 0; j < m; ++j) {
      double total = 0;
      for (const auto& row : plan) total += row[j];
      for (auto& row : plan) row[j] *= double(n) / double(m) / total;
    }
    scale_rows();
  }
  return plan;
}

template <class V>
Matrix product(const Matrix& a, const V& b, std::int64_t cols) {
  Matrix out(a.size(), std::vector<double>(cols));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < a[i].size(); ++k)
      for (std::int64_t j = 0; j < cols; ++j) out[i][j] += a[i][k] * b(k, j);
  return out;
}

/// Output and plan of an attention kind.
struct Computed {
  tensor::Tensor<double> output, plan;
  attention::AttentionEvidence evidence;
};

inline Computed compute(const attention::TrainableAttention<double>& kind, const KindCase& c) {
  tensor::Arena arena;
  const std::int64_t n = c.q.shape()[0];
  Computed out{tensor::Tensor<double>({n, 4}), tensor::Tensor<double>({n, c.k.shape()[0]}), {}};
  kind.forward(c.head(), out.output.rows(), arena, out.evidence);
  kind.plan(c.head(), out.plan.rows(), arena);
  return out;
}

inline double difference(const tensor::Tensor<double>& a, const Matrix& b) {
  double worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i)
    for (std::size_t j = 0; j < b[i].size(); ++j)
      worst = std::max(worst, std::abs(a.rows()(i, j) - b[i][j]));
  return worst;
}

constexpr double kTolerance = 1e-12;  // float64 sums of a few terms in another order
inline const std::vector<std::pair<int, int>> kSizes = {{7, 7}, {5, 9}, {9, 4}, {1, 3}, {3, 1}};

}  // namespace asap::test
