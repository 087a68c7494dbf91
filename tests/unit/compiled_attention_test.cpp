#include "attention/compiled/compiled_attention.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "attention/operators/compiled_operator.h"
#include "base/random.h"
#include "numerics/dense_solvers.h"
#include "transport/sinkhorn_log.h"

namespace asap {
namespace {

tensor::Tensor<double> random_matrix(std::int64_t rows, std::int64_t cols, double size,
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

struct Problem {
  tensor::Tensor<double> q, k, v, a, b;  // [N, D], [M, D], [M, Dv], [L, D], [L, D]
  double scale = 0.4;
  attention::DualFeatures features{};
  std::vector<double> weights{};

  std::int64_t count() const { return features.count(a.shape()[0]); }
};

Problem random_problem(std::int64_t n, std::int64_t m, std::uint32_t id, double size = 1) {
  constexpr std::int64_t kWidth = 6, kValueWidth = 5, kSlices = 3;
  Problem p{random_matrix(n, kWidth, size, id), random_matrix(m, kWidth, size, id + 1),
            random_matrix(m, kValueWidth, 1, id + 2), random_matrix(kSlices, kWidth, 0.5, id + 3),
            random_matrix(kSlices, kWidth, 0.5, id + 4)};
  base::RandomStream random(32, base::RandomPurpose::test, id);
  for (std::int64_t w = 0; w < p.count(); ++w) p.weights.push_back(0.4 * random.normal());
  return p;
}

/// x = √scale (tokens - mean): the definition, in plain loops.
tensor::Tensor<double> naive_centred(const tensor::Tensor<double>& tokens, double scale) {
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

double inner(tensor::MatrixView<const double> a, std::int64_t i, tensor::MatrixView<const double> b,
             std::int64_t j) {
  double total = 0;
  for (std::int64_t d = 0; d < a.cols; ++d) total += a(i, d) * b(j, d);
  return total;
}

/// Ranks s and t and sums the slopes, target by target: O(N M), from the formula's own words.
std::vector<double> naive_potential(const std::vector<double>& s, std::vector<double> t) {
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

std::vector<double> naive_row_dual(const Problem& p, const tensor::Tensor<double>& x,
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
    // The mean query is what centring took away: √scale q - x, the same for every token.
    std::vector<double> weight(m), mean(x.shape()[1], 0.0);
    double total = 0;
    for (std::int64_t j = 0; j < m; ++j) {
      double score = 0;
      for (std::int64_t d = 0; d < x.shape()[1]; ++d)
        score += y.rows()(j, d) * (std::sqrt(p.scale) * p.q.rows()(0, d) - x.rows()(0, d));
      total += weight[j] = std::exp(score);
    }
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
  std::vector<double> dual(n, 0.0);
  for (std::size_t w = 0; w < features.size(); ++w)
    for (std::int64_t i = 0; i < n; ++i) dual[i] += p.weights[w] * features[w][i];
  return dual;
}

struct Reference {
  tensor::Tensor<double> plan, output;
};

/// Log-domain closure, iterations + 1 times.
Reference naive_attention(const Problem& p, int iterations) {
  const tensor::Tensor<double> x = naive_centred(p.q, p.scale), y = naive_centred(p.k, p.scale);
  const std::int64_t n = x.shape()[0], m = y.shape()[0];
  std::vector<double> f = naive_row_dual(p, x, y), g(m);
  const auto exponent = [&](std::int64_t i, std::int64_t j) {
    return inner(x.rows(), i, y.rows(), j);
  };
  for (int k = 0; k <= iterations; ++k) {
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
  attention::CompiledEvidence evidence;
};

template <class T>
Result<T> run(const Problem& p, int extra_iterations = 0) {
  const tensor::Tensor<T> q = cast<T>(p.q), k = cast<T>(p.k), v = cast<T>(p.v);
  const tensor::Tensor<T> a = cast<T>(p.a), b = cast<T>(p.b);
  const std::vector<T> weights(p.weights.begin(), p.weights.end());
  Result<T> out{tensor::Tensor<T>({p.q.shape()[0], p.v.shape()[1]}), {}};
  tensor::Arena scratch;
  out.evidence =
      attention::compiled_attention<T>({p.features, a.rows(), b.rows(), weights},
                                       {q.rows(), k.rows(), v.rows(), static_cast<T>(p.scale)},
                                       extra_iterations, out.output.rows(), scratch);
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

// Outputs are averages of values of order one. Exponents reach about 10, so each exp carries some
// ten roundings of its own and of the products below it: 100 units in the last place.
constexpr double kDoubleTolerance = 100 * 0x1p-52;
constexpr double kFloatTolerance = 100 * 0x1p-23;

TEST_CASE("The compiled operator equals its definition for any N and M") {
  std::uint32_t id = 0;
  for (const auto& [n, m] : std::vector<std::pair<int, int>>{
           {1, 1}, {1, 4}, {4, 1}, {7, 7}, {16, 9}, {9, 16}, {33, 65}, {64, 50}}) {
    const Problem p = random_problem(n, m, id += 10);
    const Reference reference = naive_attention(p, 0);
    CHECK(largest_difference(run<double>(p).output, reference.output) < kDoubleTolerance);
    CHECK(largest_difference(run<float>(p).output, reference.output) < kFloatTolerance);
  }
}

TEST_CASE("Every subset of features is computed in the documented order") {
  for (int subset = 0; subset < 32; ++subset) {
    Problem p = random_problem(12, 10, 500);
    p.features = {(subset & 1) != 0, (subset & 2) != 0, (subset & 4) != 0, (subset & 8) != 0,
                  (subset & 16) != 0};
    p.weights.resize(p.count());
    CHECK(largest_difference(run<double>(p).output, naive_attention(p, 0).output) <
          kDoubleTolerance);
  }
}

TEST_CASE("Extra iterations are warm-started Sinkhorn iterations") {
  const Problem p = random_problem(20, 14, 600);
  for (const int k : {1, 2, 5})
    CHECK(largest_difference(run<double>(p, k).output, naive_attention(p, k).output) <
          kDoubleTolerance);
}

TEST_CASE("The measured column error is that of the plan") {
  const Problem p = random_problem(20, 14, 700);
  const tensor::Tensor<double> plan = naive_attention(p, 0).plan;
  double expected = 0;
  for (std::int64_t j = 0; j < 14; ++j) {
    double total = 0;
    for (std::int64_t i = 0; i < 20; ++i) total += plan.rows()(i, j);
    expected += std::abs(total * 14 / 20 - 1) / 14;
  }
  const attention::CompiledEvidence evidence = run<double>(p).evidence;
  CHECK(expected > 1e-3);  // otherwise the test could not fail
  CHECK(std::abs(evidence.column_error - expected) < kDoubleTolerance);
  CHECK_FALSE(evidence.log_domain);
}

TEST_CASE("A row dual beyond the range of exp is closed in the log domain, and reported") {
  // Scores of order 150: where the dual singles out one query, the others' keys underflow.
  for (const double factor : {1.0, 10.0}) {
    Problem p = random_problem(24, 17, 800, 8);
    for (double& weight : p.weights) weight *= factor;
    const Result<float> result = run<float>(p);
    CHECK(result.evidence.log_domain);
    // The exponents themselves, of order `factor` * 1000, are rounded to float32 before any exp.
    CHECK(largest_difference(result.output, naive_attention(p, 0).output) <
          factor * 1000 * 0x1p-23);
    CHECK(std::isfinite(result.evidence.column_error));
  }
}

TEST_CASE("Sharp scores stay finite") {
  Problem p = random_problem(30, 30, 900, 30);  // scores of several thousand
  const Result<float> result = run<float>(p);
  for (const float value : result.output.flat()) CHECK(std::isfinite(value));
}

TEST_CASE("Closing the teacher's last but one row dual gives the teacher's plan") {
  // Any centred dual is linear in the queries when D >= N, so the linear feature on the unit slices
  // hands the operator exactly f^(T) in centred coordinates.
  const std::int64_t n = 6, width = 8;
  std::uint32_t id = 1000;
  for (const std::int64_t m : {4, 6, 11})
    for (const int iterations : {1, 2, 10}) {
      Problem p = random_problem(n, m, id += 10);
      p.q = random_matrix(n, width, 1, id), p.k = random_matrix(m, width, 1, id + 1);
      tensor::Tensor<double> scores({n, m}), unit({width, width}), identity({m, m});
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < m; ++j)
          scores.rows()(i, j) = p.scale * inner(p.q.rows(), i, p.k.rows(), j);
      const transport::SinkhornTrace<double> teacher =
          transport::sinkhorn_log<double>(scores.rows(), {}, iterations);
      const tensor::Tensor<double> x = naive_centred(p.q, p.scale), y = naive_centred(p.k, p.scale);
      // f_c = f + scale (q - q̄) . k̄ = f + S_i. averaged over keys, up to a constant.
      std::vector<double> target(n), weights(width);
      for (std::int64_t i = 0; i < n; ++i) {
        target[i] = teacher.row_duals.rows()(iterations - 1, i);
        for (std::int64_t j = 0; j < m; ++j)
          target[i] += scores.rows()(i, j) / static_cast<double>(m);
      }
      const double mean = std::accumulate(target.begin(), target.end(), 0.0) / n;
      for (double& value : target) value -= mean;
      numerics::solve_least_squares(x.rows(), target, weights);
      for (std::int64_t d = 0; d < width; ++d) unit.rows()(d, d) = 1;
      for (std::int64_t j = 0; j < m; ++j) identity.rows()(j, j) = 1;
      p.features = {false, false, true, false, false};
      p.a = p.b = unit, p.v = identity, p.weights = weights;

      tensor::Tensor<double> plan({n, m});
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < m; ++j)
          plan.rows()(i, j) =
              std::exp(scores.rows()(i, j) + teacher.row_duals.rows()(iterations, i) +
                       teacher.column_duals.rows()(iterations - 1, j));
      CHECK(largest_difference(run<double>(p).output, plan) < 1e-10);
    }
}

TEST_CASE("The output follows permutations of queries and ignores permutations of keys") {
  const Problem p = random_problem(13, 11, 2000);
  Problem shuffled = p;
  for (std::int64_t i = 0; i < 13; ++i)
    for (std::int64_t d = 0; d < 6; ++d) shuffled.q.rows()(i, d) = p.q.rows()((i * 5 + 2) % 13, d);
  for (std::int64_t j = 0; j < 11; ++j) {
    for (std::int64_t d = 0; d < 6; ++d) shuffled.k.rows()(j, d) = p.k.rows()((j * 3 + 1) % 11, d);
    for (std::int64_t d = 0; d < 5; ++d) shuffled.v.rows()(j, d) = p.v.rows()((j * 3 + 1) % 11, d);
  }
  const tensor::Tensor<double> plain = run<double>(p).output, moved = run<double>(shuffled).output;
  for (std::int64_t i = 0; i < 13; ++i)
    for (std::int64_t d = 0; d < 5; ++d)
      CHECK(std::abs(moved.rows()(i, d) - plain.rows()((i * 5 + 2) % 13, d)) < kDoubleTolerance);
}

TEST_CASE("Adding a constant to all queries or to all keys changes nothing") {
  // tilt is left out: it describes what the teacher's start sees, which does change.
  Problem p = random_problem(13, 11, 2100);
  p.features.tilt = false;
  p.weights.resize(p.count());
  const tensor::Tensor<double> plain = run<double>(p).output;
  for (double& value : p.q.flat()) value += 3;
  for (double& value : p.k.flat()) value -= 2;
  CHECK(largest_difference(run<double>(p).output, plain) < 10 * kDoubleTolerance);
}

attention::CompiledHead compiled_head(const Problem& p) {
  return {p.features, static_cast<float>(p.scale), cast<float>(p.a), cast<float>(p.b),
          std::vector<float>(p.weights.begin(), p.weights.end())};
}

TEST_CASE("The operator runs every head of every example, and masked tokens are as if dropped") {
  const std::int64_t examples = 3, tokens = 10, heads = 2, width = 6;
  const Problem one = random_problem(4, 4, 3000), two = random_problem(4, 4, 3100);
  const attention::CompiledOperator attention({{compiled_head(one), compiled_head(two)}});
  const std::vector<std::int32_t> live = {10, 7, 1};
  // Queries, keys and values packed side by side, as the network lays them out.
  const tensor::Tensor<float> packed =
      cast<float>(random_matrix(examples * tokens, 3 * heads * width, 1, 3200));
  const auto part = [&](std::int64_t index) {
    return packed.rows().block(0, index * heads * width, examples * tokens, heads * width);
  };
  const attention::AttentionBatch<float> batch{part(0), part(1), part(2), examples,
                                               heads,   live,    live};
  tensor::Tensor<float> output({examples * tokens, heads * width});
  for (float& value : output.flat()) value = 7;  // must be overwritten, padding included
  tensor::Arena scratch;
  attention.apply(0, batch, output.rows(), scratch);

  for (std::int64_t b = 0; b < examples; ++b)
    for (std::int64_t h = 0; h < heads; ++h) {
      Problem dropped = h == 0 ? one : two;
      const auto copy = [&](std::int64_t index) {
        tensor::Tensor<double> out({live[b], width});
        for (std::int64_t i = 0; i < live[b]; ++i)
          for (std::int64_t d = 0; d < width; ++d)
            out.rows()(i, d) = part(index)(b * tokens + i, h * width + d);
        return out;
      };
      dropped.q = copy(0), dropped.k = copy(1), dropped.v = copy(2);
      const tensor::Tensor<float> expected = run<float>(dropped).output;
      for (std::int64_t i = 0; i < tokens; ++i)
        for (std::int64_t d = 0; d < width; ++d) {
          const float actual = output.rows()(b * tokens + i, h * width + d);
          CHECK(std::abs(actual - (i < live[b] ? expected.rows()(i, d) : 0.0f)) < 1e-6f);
        }
    }
  CHECK(attention.log_domain_heads() == 0);
}

TEST_CASE("An example without live keys gives zero, and a dual of zero is the closure alone") {
  Problem p = random_problem(5, 8, 3300);
  p.features = attention::DualFeatures::none();
  p.weights.clear();
  const attention::CompiledOperator attention(
      {{attention::CompiledHead::zero_dual(static_cast<float>(p.scale))}});
  const tensor::Tensor<float> q = cast<float>(p.q), k = cast<float>(p.k), v = cast<float>(p.v);
  tensor::Tensor<float> output({5, 5});
  tensor::Arena scratch;
  attention.apply(0, {q.rows(), k.rows(), v.rows(), 1, 1}, output.rows(), scratch);
  CHECK(largest_difference(output, naive_attention(p, 0).output) < kFloatTolerance);

  const std::vector<std::int32_t> none = {0};
  attention.apply(0, {q.rows(), k.rows(), v.rows(), 1, 1, {}, none}, output.rows(), scratch);
  for (const float value : output.flat()) CHECK(value == 0.0f);
}

}  // namespace
}  // namespace asap
