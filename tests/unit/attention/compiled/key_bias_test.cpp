#include "attention/compiled/key_bias.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "support/compiled_problem.h"
#include "transport/sinkhorn_log.h"

namespace asap::test {
namespace {

// As of compiled_attention_test.cpp: exponents of about 10, some ten roundings each.
constexpr double kBiasTolerance = 100 * 0x1p-52;

/// A random problem whose map is for keys: no features of the scores, landmarks of queries.
CompiledProblem key_problem(std::int64_t n, std::int64_t m, std::uint32_t id) {
  CompiledProblem p = random_compiled_problem(n, m, id);
  p.features.log_sum_exp = false;
  p.features.landmarks = 4;
  p.landmarks = random_matrix(4, 6, 0.5, id + 7);
  p.weights.resize(static_cast<std::size_t>(p.count()), 0.4);
  return p;
}

template <class T>
struct KeyHead {
  tensor::Tensor<T> q, k, v, a, b, landmarks;
  std::vector<T> weights;
  attention::DualFeatures features;
  T scale;
  int iterations;

  explicit KeyHead(const CompiledProblem& p)
      : q(cast<T>(p.q)),
        k(cast<T>(p.k)),
        v(cast<T>(p.v)),
        a(cast<T>(p.a)),
        b(cast<T>(p.b)),
        landmarks(cast<T>(p.landmarks)),
        weights(p.weights.begin(), p.weights.end()),
        features(p.features),
        scale(static_cast<T>(p.scale)),
        iterations(p.teacher_iterations) {}

  attention::AttentionHead<T> head() const { return {q.rows(), k.rows(), v.rows(), scale}; }
  attention::DualMap<T> map() const {
    return {features, a.rows(), b.rows(), weights, {landmarks.rows(), iterations, true}};
  }
};

/// softmax_j(scale q_i . k_j + bias_j) V, in plain loops.
tensor::Tensor<double> softmax_with_bias(const CompiledProblem& p,
                                         const tensor::Tensor<double>& bias) {
  const std::int64_t n = p.q.shape()[0], m = p.k.shape()[0];
  tensor::Tensor<double> out({n, p.v.shape()[1]});
  for (std::int64_t i = 0; i < n; ++i) {
    double total = 0;
    for (std::int64_t j = 0; j < m; ++j)
      total += std::exp(p.scale * inner(p.q.rows(), i, p.k.rows(), j) + bias[j]);
    for (std::int64_t j = 0; j < m; ++j)
      for (std::int64_t d = 0; d < p.v.shape()[1]; ++d)
        out.rows()(i, d) += std::exp(p.scale * inner(p.q.rows(), i, p.k.rows(), j) + bias[j]) /
                            total * p.v.rows()(j, d);
  }
  return out;
}

}  // namespace

TEST_CASE("the operator is softmax attention with the additive bias, for any N and M") {
  std::uint32_t id = 5000;
  for (const auto& [n, m] :
       std::vector<std::pair<int, int>>{{1, 1}, {1, 4}, {4, 1}, {9, 16}, {33, 20}}) {
    const CompiledProblem p = key_problem(n, m, id += 10);
    const KeyHead<double> exact(p);
    tensor::Tensor<double> bias({m}), output({n, p.v.shape()[1]});
    tensor::Arena scratch;
    attention::additive_key_bias<double>(exact.map(), exact.head(), bias.flat(), scratch);
    attention::key_bias_attention<double>(exact.map(), exact.head(), 0, output.rows(), scratch);
    const tensor::Tensor<double> expected = softmax_with_bias(p, bias);
    CHECK(largest_difference(output, expected) < kBiasTolerance);

    const KeyHead<float> rounded(p);
    tensor::Tensor<float> single({n, p.v.shape()[1]});
    attention::key_bias_attention<float>(rounded.map(), rounded.head(), 0, single.rows(), scratch);
    CHECK(largest_difference(single, expected) < kFloatTolerance);
  }
}

TEST_CASE("with every query a landmark, the landmark dual is the teacher's own column dual") {
  CompiledProblem p = key_problem(11, 8, 5200);
  const KeyHead<double> all(p);
  tensor::Arena scratch;
  const attention::CentredHead<double> centred =
      attention::centre_head<double>(all.q.rows(), all.k.rows(), all.scale, scratch);
  p.features = attention::DualFeatures::none();
  p.features.landmarks = 11;
  p.landmarks = tensor::Tensor<double>({11, 6});
  for (std::int64_t i = 0; i < 11; ++i)
    std::ranges::copy(centred.x.row(i), p.landmarks.rows().row(i).begin());
  p.weights = {1};
  tensor::Tensor<double> scores({11, 8}), plan({11, 8}), expected({11, 5}), output({11, 5});
  for (std::int64_t i = 0; i < 11; ++i)
    for (std::int64_t j = 0; j < 8; ++j)
      scores.rows()(i, j) = p.scale * inner(p.q.rows(), i, p.k.rows(), j);
  for (const int iterations : {1, 3, 6}) {
    p.teacher_iterations = iterations;
    const transport::SinkhornTrace<double> trace =
        transport::sinkhorn_log<double>(scores.rows(), {}, iterations);
    const tensor::VectorView<const double> g = trace.column_duals.rows().row(iterations - 1);
    tensor::Tensor<double> bias({8});
    std::ranges::copy(g, bias.data());
    const KeyHead<double> exact(p);
    attention::key_bias_attention<double>(exact.map(), exact.head(), 0, output.rows(), scratch);
    CHECK(largest_difference(output, softmax_with_bias(p, bias)) < 10 * kBiasTolerance);
  }
}

TEST_CASE("extra iterations make the columns of the plan more exact") {
  const CompiledProblem p = key_problem(20, 14, 5300);
  const KeyHead<double> exact(p);
  tensor::Tensor<double> output({20, 5});
  tensor::Arena scratch;
  double before = INFINITY;
  for (const int extra : {0, 1, 3, 40}) {
    const double error = attention::key_bias_attention<double>(exact.map(), exact.head(), extra,
                                                               output.rows(), scratch);
    CHECK(error < before);
    before = error;
  }
  CHECK(before < 1e-3);
}

TEST_CASE("a map with features of the scores is no key bias") {
  CompiledProblem p = key_problem(6, 5, 5400);
  p.features.log_sum_exp = true;
  p.weights.resize(static_cast<std::size_t>(p.count()), 0.1);
  const KeyHead<double> head(p);
  tensor::Tensor<double> bias({5});
  tensor::Arena scratch;
  CHECK_THROWS_AS(
      attention::predicted_key_bias<double>(head.map(), head.head(), bias.flat(), scratch),
      base::InternalError);
}

}  // namespace asap::test
