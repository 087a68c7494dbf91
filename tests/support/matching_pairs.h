#pragma once

#include <cmath>
#include <vector>

#include "attention/transport/transport_problem.h"
#include "base/random.h"
#include "tensor/core/tensor.h"

namespace asap::test {

/// Scores of two sets of random descriptors, some of which are noisy copies of each other, and the
/// marginals of their problem with dustbins.
struct MatchingPair {
  tensor::Tensor<double> scores;  // [N, M]
  double bin = 9;
  std::vector<double> rows{}, columns{};

  attention::TransportProblem<double> problem() const {
    // TensorView::rows() would lose the rows of a matrix without columns.
    return {{scores.data(), scores.shape()[0], scores.shape()[1]}, bin, rows, columns};
  }
};

/// The problem of these scores, [N, M], with its marginals.
inline MatchingPair pair_of_scores(tensor::Tensor<double> scores, double bin = 9) {
  MatchingPair pair{.scores = std::move(scores), .bin = bin};
  pair.rows.resize(static_cast<std::size_t>(pair.scores.shape()[0] + 1));
  pair.columns.resize(static_cast<std::size_t>(pair.scores.shape()[1] + 1));
  attention::dustbin_marginals<double>(pair.rows, pair.columns);
  return pair;
}

/// Pair `number` of a seeded family: 40 to 79 descriptors a side of width 16, 24 of them common,
/// scores 20 times their cosine plus noise; they range over about 35.
inline MatchingPair matching_pair(std::uint32_t number) {
  base::RandomStream random(31, base::RandomPurpose::test, number);
  constexpr std::int64_t kWidth = 16, kCommon = 24;
  const auto unit = [&](std::vector<double> x) {
    double square = 0;
    for (const double value : x) square += value * value;
    for (double& value : x) value /= std::sqrt(square);
    return x;
  };
  const auto draw = [&] {
    std::vector<double> x(kWidth);
    for (double& value : x) value = random.normal();
    return x;
  };
  const auto count = [&] { return 40 + static_cast<std::int64_t>(random.uniform() * 40); };
  const std::int64_t n = count(), m = count();
  std::vector<std::vector<double>> common, left, right;
  for (std::int64_t k = 0; k < kCommon; ++k) common.push_back(unit(draw()));
  const auto fill = [&](std::int64_t size, std::vector<std::vector<double>>& side) {
    for (std::int64_t k = 0; k < size; ++k) {
      std::vector<double> x = draw();
      if (k < kCommon)
        for (std::int64_t d = 0; d < kWidth; ++d) x[d] = common[k][d] + 0.12 * x[d];
      side.push_back(unit(x));
    }
  };
  fill(n, left);
  fill(m, right);
  MatchingPair pair = pair_of_scores(tensor::Tensor<double>({n, m}));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j) {
      double product = 0;
      for (std::int64_t d = 0; d < kWidth; ++d) product += left[i][d] * right[j][d];
      pair.scores[i * m + j] = 20 * product;
    }
  return pair;
}

/// The same rounded to T.
template <class T>
struct RoundedPair {
  tensor::Tensor<T> scores;
  T bin;
  std::vector<T> rows, columns;

  explicit RoundedPair(const MatchingPair& pair)
      : scores(pair.scores.shape()),
        bin(static_cast<T>(pair.bin)),
        rows(pair.rows.begin(), pair.rows.end()),
        columns(pair.columns.begin(), pair.columns.end()) {
    for (std::int64_t k = 0; k < scores.size(); ++k) scores[k] = static_cast<T>(pair.scores[k]);
  }
  attention::TransportProblem<T> problem() const { return {scores.rows(), bin, rows, columns}; }
};

/// Duals with memory of their own.
template <class T>
struct OwnDuals {
  std::vector<T> rows, columns;

  explicit OwnDuals(const attention::TransportProblem<T>& problem)
      : rows(static_cast<std::size_t>(problem.rows())),
        columns(static_cast<std::size_t>(problem.columns())) {}
  attention::TransportDuals<T> view() { return {rows, columns}; }
  attention::TransportDuals<const T> view() const { return {rows, columns}; }
};

}  // namespace asap::test
