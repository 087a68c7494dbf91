#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "attention/compiled/compiled_attention.h"
#include "base/random.h"

namespace asap::test {

inline tensor::Tensor<double> random_matrix(std::int64_t rows, std::int64_t cols, double size,
                                            std::uint32_t id) {
  base::RandomStream random(31, base::RandomPurpose::test, id);
  tensor::Tensor<double> out({rows, cols});
  for (double& value : out.flat()) value = size * random.normal() + 0.3;
  return out;
}

template <class T>
tensor::Tensor<T> cast(const tensor::Tensor<double>& from) {
  tensor::Tensor<T> out(from.shape());
  for (std::int64_t i = 0; i < from.size(); ++i) out[i] = static_cast<T>(from[i]);
  return out;
}

struct CompiledProblem {
  tensor::Tensor<double> q, k, v, a, b;  // [N, D], [M, D], [M, Dv], [L, D], [L, D]
  double scale = 0.4;
  attention::DualFeatures features{};
  std::vector<double> weights{};
  tensor::Tensor<double> landmarks{};  // [M, D]; empty unless a feature
  int teacher_iterations = 3;

  std::int64_t count() const { return features.weight_count(a.shape()[0]); }
};

inline CompiledProblem random_compiled_problem(std::int64_t n, std::int64_t m, std::uint32_t id,
                                               double size = 1) {
  constexpr std::int64_t kWidth = 6, kValueWidth = 5, kSlices = 3;
  CompiledProblem p{random_matrix(n, kWidth, size, id), random_matrix(m, kWidth, size, id + 1),
                    random_matrix(m, kValueWidth, 1, id + 2),
                    random_matrix(kSlices, kWidth, 0.5, id + 3),
                    random_matrix(kSlices, kWidth, 0.5, id + 4)};
  base::RandomStream random(32, base::RandomPurpose::test, id);
  for (std::int64_t w = 0; w < p.count(); ++w) p.weights.push_back(0.4 * random.normal());
  return p;
}

/// x = √scale (tokens - mean): the definition, in plain loops.
inline tensor::Tensor<double> naive_centred(const tensor::Tensor<double>& tokens, double scale) {
  tensor::Tensor<double> out = tokens;
  for (std::int64_t d = 0; d < tokens.shape()[1]; ++d) {
    double mean = 0;
    for (std::int64_t i = 0; i < tokens.shape()[0]; ++i)
      mean += tokens.rows()(i, d) / static_cast<double>(tokens.shape()[0]);
    for (std::int64_t i = 0; i < tokens.shape()[0]; ++i)
      out.rows()(i, d) = std::sqrt(scale) * (tokens.rows()(i, d) - mean);
  }
  return out;
}

inline double inner(tensor::MatrixView<const double> a, std::int64_t i,
                    tensor::MatrixView<const double> b, std::int64_t j) {
  double total = 0;
  for (std::int64_t d = 0; d < a.cols; ++d) total += a(i, d) * b(j, d);
  return total;
}

/// Ranks s and t and sums the slopes, target by target: O(N M), from the formula's own words.
inline std::vector<double> naive_potential(const std::vector<double>& s, std::vector<double> t) {
  const auto n = std::ssize(s), m = std::ssize(t);
  std::vector<std::size_t> order(s.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return s[i] < s[j]; });
  std::sort(t.begin(), t.end());
  std::vector<double> phi(s.size(), 0.0);
  for (std::int64_t r = 0; r + 1 < n; ++r) {
    const std::int64_t c1 = ((r + 1) * m + n - 1) / n - 1, c2 = (r + 1) * m / n;
    phi[order[r + 1]] = phi[order[r]] - (s[order[r + 1]] - s[order[r]]) * 0.5 * (t[c1] + t[c2]);
  }
  return phi;
}

/// The mean query in the coordinates of x is what centring took away, the same for every token.
inline double mean_query_score(const CompiledProblem& p, const tensor::Tensor<double>& x,
                               const tensor::Tensor<double>& y, std::int64_t j) {
  double score = 0;
  for (std::int64_t d = 0; d < x.shape()[1]; ++d)
    score += y.rows()(j, d) * (std::sqrt(p.scale) * p.q.rows()(0, d) - x.rows()(0, d));
  return score;
}

/// Every key is replaced by the mean of the keys that share its nearest prototype; then the
/// teacher's T - 1 iterations, key by key.
inline std::vector<double> naive_landmark_dual(const CompiledProblem& p,
                                               const tensor::Tensor<double>& x,
                                               const tensor::Tensor<double>& y) {
  const std::int64_t n = x.shape()[0], m = y.shape()[0], width = x.shape()[1];
  std::vector<std::int64_t> nearest(m);
  for (std::int64_t j = 0; j < m; ++j) {
    double least = INFINITY;
    for (std::int64_t c = 0; c < p.landmarks.shape()[0]; ++c) {
      double distance = 0;
      for (std::int64_t d = 0; d < width; ++d)
        distance += std::pow(y.rows()(j, d) - p.landmarks.rows()(c, d), 2);
      if (distance < least) least = distance, nearest[j] = c;
    }
  }
  tensor::Tensor<double> means({m, width});
  for (std::int64_t j = 0; j < m; ++j) {
    double size = 0;
    for (std::int64_t k = 0; k < m; ++k)
      if (nearest[k] == nearest[j]) {
        ++size;
        for (std::int64_t d = 0; d < width; ++d) means.rows()(j, d) += y.rows()(k, d);
      }
    for (std::int64_t d = 0; d < width; ++d) means.rows()(j, d) /= size;
  }
  std::vector<double> f(n), g(m);
  for (std::int64_t j = 0; j < m; ++j) g[j] = mean_query_score(p, x, means, j);
  for (int t = 0; t < p.teacher_iterations; ++t) {
    for (std::int64_t j = 0; t > 0 && j < m; ++j) {
      double top = -INFINITY, total = 0;
      for (std::int64_t i = 0; i < n; ++i)
        top = std::max(top, inner(x.rows(), i, means.rows(), j) + f[i]);
      for (std::int64_t i = 0; i < n; ++i)
        total += std::exp(inner(x.rows(), i, means.rows(), j) + f[i] - top);
      g[j] = -top - std::log(total);
    }
    for (std::int64_t i = 0; i < n; ++i) {
      double top = -INFINITY, total = 0;
      for (std::int64_t j = 0; j < m; ++j)
        top = std::max(top, inner(x.rows(), i, means.rows(), j) + g[j]);
      for (std::int64_t j = 0; j < m; ++j)
        total += std::exp(inner(x.rows(), i, means.rows(), j) + g[j] - top);
      f[i] = -top - std::log(total);
    }
  }
  return f;
}

/// The features of a problem, one row each.
inline std::vector<std::vector<double>> naive_features(const CompiledProblem& p,
                                                       const tensor::Tensor<double>& x,
                                                       const tensor::Tensor<double>& y) {
  const std::int64_t n = x.shape()[0], m = y.shape()[0], slices = p.a.shape()[0];
  std::vector<std::vector<double>> features;
  std::vector<std::vector<double>> s(slices), t(slices);
  for (std::int64_t l = 0; l < slices; ++l) {
    for (std::int64_t i = 0; i < n; ++i) s[l].push_back(inner(x.rows(), i, p.a.rows(), l));
    for (std::int64_t j = 0; j < m; ++j) t[l].push_back(inner(y.rows(), j, p.b.rows(), l));
  }
  if (p.features.potential)
    for (std::int64_t l = 0; l < slices; ++l) features.push_back(naive_potential(s[l], t[l]));
  if (p.features.gaussian)
    for (std::int64_t l = 0; l < slices; ++l) {
      double alpha = 0, beta = 0;
      for (const double value : s[l]) alpha += value * value / static_cast<double>(n);
      for (const double value : t[l]) beta += value * value / static_cast<double>(m);
      const double curvature = 2 * beta / (1 + std::sqrt(1 + 4 * alpha * beta));
      features.emplace_back();
      for (const double value : s[l]) features.back().push_back(-0.5 * curvature * value * value);
    }
  if (p.features.linear)
    for (std::int64_t l = 0; l < slices; ++l) features.push_back(s[l]);
  if (p.features.tilt) {
    std::vector<double> weight(m), mean(x.shape()[1], 0.0);
    double total = 0;
    for (std::int64_t j = 0; j < m; ++j)
      total += weight[j] = std::exp(mean_query_score(p, x, y, j));
    for (std::int64_t j = 0; j < m; ++j)
      for (std::int64_t d = 0; d < x.shape()[1]; ++d) mean[d] += weight[j] / total * y.rows()(j, d);
    features.emplace_back();
    for (std::int64_t i = 0; i < n; ++i) {
      features.back().push_back(0);
      for (std::int64_t d = 0; d < x.shape()[1]; ++d)
        features.back()[i] -= x.rows()(i, d) * mean[d];
    }
  }
  if (p.features.log_sum_exp) {
    features.emplace_back();
    for (std::int64_t i = 0; i < n; ++i) {
      double total = 0;
      for (std::int64_t j = 0; j < m; ++j) total += std::exp(inner(x.rows(), i, y.rows(), j));
      features.back().push_back(-std::log(total));
    }
  }
  if (p.features.first_dual) {
    features.emplace_back();
    for (std::int64_t i = 0; i < n; ++i) {
      double top = -INFINITY, total = 0;
      for (std::int64_t j = 0; j < m; ++j)
        top = std::max(top, inner(x.rows(), i, y.rows(), j) + mean_query_score(p, x, y, j));
      for (std::int64_t j = 0; j < m; ++j)
        total += std::exp(inner(x.rows(), i, y.rows(), j) + mean_query_score(p, x, y, j) - top);
      features.back().push_back(-top - std::log(total));
    }
  }
  if (p.features.landmarks > 0) features.push_back(naive_landmark_dual(p, x, y));
  return features;
}

struct Reference {
  tensor::Tensor<double> plan, output;
};

/// Log-domain closure, iterations + 1 times.
inline Reference naive_attention(const CompiledProblem& p, int iterations) {
  const tensor::Tensor<double> x = naive_centred(p.q, p.scale), y = naive_centred(p.k, p.scale);
  const std::int64_t n = x.shape()[0], m = y.shape()[0];
  std::vector<double> f(n, 0.0), g(m);
  const auto exponent = [&](std::int64_t i, std::int64_t j) {
    return inner(x.rows(), i, y.rows(), j);
  };
  const std::vector<std::vector<double>> features = naive_features(p, x, y);
  std::vector<std::vector<double>> differences;
  std::size_t next = 0;  // weight
  const auto add = [&](const std::vector<std::vector<double>>& rows) {
    for (const std::vector<double>& row : rows) {
      for (std::int64_t i = 0; i < n; ++i) f[i] += p.weights[next] * row[i];
      ++next;
    }
  };
  add(features);
  if (p.features.start) {
    CompiledProblem first = p;
    first.features = attention::DualFeatures::none();
    first.features.first_dual = true;
    f = naive_features(first, x, y)[0];
  }
  const int corrections = p.features.corrections;
  for (int k = 0; k <= corrections + iterations; ++k) {
    if (k > 0 && k <= corrections) {
      add(differences);
      add(features);
    }
    const std::vector<double> before = f;
    for (std::int64_t j = 0; j < m; ++j) {
      double top = -INFINITY, total = 0;
      for (std::int64_t i = 0; i < n; ++i) top = std::max(top, exponent(i, j) + f[i]);
      for (std::int64_t i = 0; i < n; ++i) total += std::exp(exponent(i, j) + f[i] - top);
      g[j] = std::log(static_cast<double>(n) / static_cast<double>(m)) - top - std::log(total);
    }
    for (std::int64_t i = 0; i < n; ++i) {
      double top = -INFINITY, total = 0;
      for (std::int64_t j = 0; j < m; ++j) top = std::max(top, exponent(i, j) + g[j]);
      for (std::int64_t j = 0; j < m; ++j) total += std::exp(exponent(i, j) + g[j] - top);
      f[i] = -top - std::log(total);
    }
    differences.emplace_back();
    for (std::int64_t i = 0; i < n; ++i) differences.back().push_back(f[i] - before[i]);
  }
  Reference out{tensor::Tensor<double>({n, m}), tensor::Tensor<double>({n, p.v.shape()[1]})};
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j) {
      out.plan.rows()(i, j) = std::exp(exponent(i, j) + f[i] + g[j]);
      for (std::int64_t d = 0; d < p.v.shape()[1]; ++d)
        out.output.rows()(i, d) += out.plan.rows()(i, j) * p.v.rows()(j, d);
    }
  return out;
}

template <class T>
struct Result {
  tensor::Tensor<T> output;
  double column_error = 0;
};

template <class T>
Result<T> run(const CompiledProblem& p, int extra_iterations = 0) {
  const tensor::Tensor<T> q = cast<T>(p.q), k = cast<T>(p.k), v = cast<T>(p.v);
  const tensor::Tensor<T> a = cast<T>(p.a), b = cast<T>(p.b);
  const tensor::Tensor<T> landmarks = cast<T>(p.landmarks);
  const std::vector<T> weights(p.weights.begin(), p.weights.end());
  Result<T> out{tensor::Tensor<T>({p.q.shape()[0], p.v.shape()[1]})};
  tensor::Arena scratch;
  out.column_error = attention::compiled_attention<T>(
      {p.features, a.rows(), b.rows(), weights, {landmarks.rows(), p.teacher_iterations}},
      {q.rows(), k.rows(), v.rows(), static_cast<T>(p.scale)}, extra_iterations, out.output.rows(),
      scratch);
  return out;
}

template <class A, class B>
double largest_difference(const tensor::Tensor<A>& a, const tensor::Tensor<B>& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0;
  for (std::int64_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return worst;
}
constexpr double kFloatTolerance = 100 * 0x1p-23;

}  // namespace asap::test
