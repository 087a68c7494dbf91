#include "attention/kinds/attention_kinds.h"

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "attention/interface/trainable_attention.h"
#include "attention/kinds/differential_attention.h"
#include "base/random.h"
#include "infer/encoder.h"
#include "nn/transformer.h"
#include "train/checkpoint.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::base;
using namespace asap::config;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::train;

namespace {

using Matrix = std::vector<std::vector<double>>;

template <class T>
Tensor<T> random_tensor(const Shape& shape, std::uint32_t which, double deviation = 1) {
  Tensor<T> out(shape);
  RandomStream random(13, RandomPurpose::test, which);
  for (T& value : out.flat()) value = static_cast<T>(deviation * random.normal());
  return out;
}

/// Queries, keys, values and what a kind learns, of one head.
struct Case {
  Tensor<double> q, k, v, learned;
  double scale = 0.6;
  int layer = 2;

  AttentionHead<double> head() const {
    return {q.rows(), k.rows(), v.rows(), scale, learned.rows(), layer};
  }
};

Case random_case(std::int64_t n, std::int64_t m, const LearnedShape& learned) {
  return {random_tensor<double>({n, 6}, 1), random_tensor<double>({m, 6}, 2),
          random_tensor<double>({m, 4}, 3),
          random_tensor<double>({std::max<std::int64_t>(learned.rows, 1), learned.cols}, 4, 0.7)};
}

Matrix scores(MatrixView<const double> a, MatrixView<const double> b, double scale) {
  Matrix s(a.rows, std::vector<double>(b.rows));
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < b.rows; ++j)
      for (std::int64_t k = 0; k < a.cols; ++k) s[i][j] += scale * a(i, k) * b(j, k);
  return s;
}

/// Rows and columns scaled in turn, by the book: T = 0 is softmax.
Matrix sinkhorn_by_the_book(const Matrix& s, int iterations) {
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
  Tensor<double> output, plan;
  AttentionEvidence evidence;
};

Computed compute(const TrainableAttention<double>& kind, const Case& c) {
  Arena arena;
  const std::int64_t n = c.q.shape()[0];
  Computed out{Tensor<double>({n, 4}), Tensor<double>({n, c.k.shape()[0]}), {}};
  kind.forward(c.head(), out.output.rows(), arena, out.evidence);
  kind.plan(c.head(), out.plan.rows(), arena);
  return out;
}

double difference(const Tensor<double>& a, const Matrix& b) {
  double worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i)
    for (std::size_t j = 0; j < b[i].size(); ++j)
      worst = std::max(worst, std::abs(a.rows()(i, j) - b[i][j]));
  return worst;
}

constexpr double kTolerance = 1e-12;  // float64 sums of a few terms in another order
const std::vector<std::pair<int, int>> kSizes = {{7, 7}, {5, 9}, {9, 4}, {1, 3}, {3, 1}};

}  // namespace

TEST_CASE("Sinkformer attention computes what Sinkhorn attention computes") {
  for (const auto& size : kSizes) {
    const auto n = size.first;
    const auto m = size.second;
    const Case c = random_case(n, m, {});
    const Computed computed = compute(*make_sinkformer_attention<double>(3), c);
    const Matrix plan = sinkhorn_by_the_book(scores(c.q.rows(), c.k.rows(), c.scale), 3);
    CHECK(difference(computed.plan, plan) < kTolerance);
    CHECK(difference(computed.output, product(plan, c.v.rows(), 4)) < kTolerance);
  }
}

TEST_CASE("LOTFormer attention is two Sinkhorn plans glued at the pivots") {
  for (const int pivots : {1, 3, 8})
    for (const auto& size : kSizes) {
      const auto n = size.first;
      const auto m = size.second;
      CAPTURE(pivots);
      CAPTURE(n);
      const auto kind = make_lotformer_attention<double>(pivots, 4);
      const Case c = random_case(n, m, kind->learned_shape(6));
      const Matrix to = sinkhorn_by_the_book(scores(c.q.rows(), c.learned.rows(), c.scale), 4);
      const Matrix from = sinkhorn_by_the_book(scores(c.learned.rows(), c.k.rows(), c.scale), 4);
      const Matrix plan = product(
          to, [&](std::size_t z, std::int64_t j) { return from[z][j]; }, m);
      const Computed computed = compute(*kind, c);
      CHECK(difference(computed.plan, plan) < kTolerance);
      CHECK(difference(computed.output, product(plan, c.v.rows(), 4)) < kTolerance);
      double error = 0;
      for (int j = 0; j < m; ++j) {
        double total = 0;
        for (const auto& row : plan) total += row[j];
        error += std::abs(total * m / n - 1) / m;
      }
      CHECK(computed.evidence.column_error_sum == doctest::Approx(error).epsilon(1e-9));
    }
}

TEST_CASE("converged LOTFormer plans are doubly stochastic and of the rank of their pivots") {
  const auto kind = make_lotformer_attention<double>(2, 300);
  const Case c = random_case(6, 6, kind->learned_shape(6));
  const Tensor<double> plan = compute(*kind, c).plan;
  for (std::int64_t i = 0; i < 6; ++i) {
    double row = 0, column = 0;
    for (std::int64_t j = 0; j < 6; ++j) {
      row += plan.rows()(i, j);
      column += plan.rows()(j, i);
    }
    CHECK(row == doctest::Approx(1).epsilon(1e-12));
    CHECK(column == doctest::Approx(1).epsilon(1e-9));
  }
  // Of rank two, so that every minor of size three vanishes.
  const auto p = [&](int i, int j) { return plan.rows()(i, j); };
  CHECK(std::abs(p(0, 0) * (p(1, 1) * p(2, 2) - p(1, 2) * p(2, 1)) -
                 p(0, 1) * (p(1, 0) * p(2, 2) - p(1, 2) * p(2, 0)) +
                 p(0, 2) * (p(1, 0) * p(2, 1) - p(1, 1) * p(2, 0))) < 1e-14);
}

TEST_CASE("differential attention is what its definition says") {
  for (const auto& size : kSizes) {
    const auto n = size.first;
    const auto m = size.second;
    CAPTURE(n);
    CAPTURE(m);
    const auto kind = make_differential_attention<double>();
    const Case c = random_case(n, m, kind->learned_shape(6));
    const auto half = [](const Tensor<double>& x, int which) {
      return x.rows().block(0, 3 * which, x.shape()[0], 3);
    };
    const auto softmax = [&](int which) {
      return sinkhorn_by_the_book(
          scores(half(c.q, which), half(c.k, which), c.scale * std::sqrt(2)), 0);
    };
    const auto l = c.learned.rows();
    double first = 0, second = 0;
    for (int k = 0; k < 3; ++k) {
      first += l(0, k) * l(1, k);
      second += l(2, k) * l(3, k);
    }
    const double start = 0.8 - 0.6 * std::exp(-0.3 * 2);
    CHECK(differential_lambda_init(2) == doctest::Approx(start));
    const double lambda = std::exp(first) - std::exp(second) + start;
    Matrix plan = softmax(0);
    const Matrix taken = softmax(1);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < m; ++j) plan[i][j] -= lambda * taken[i][j];
    Matrix output = product(plan, c.v.rows(), 4);
    for (auto& row : output) {
      double square = 0;
      for (const double x : row) square += x * x / 4;
      for (double& x : row) x *= (1 - start) / std::sqrt(square + 1e-5);
    }
    const Computed computed = compute(*kind, c);
    CHECK(difference(computed.plan, plan) < kTolerance);
    CHECK(difference(computed.output, output) < kTolerance);
  }
}

TEST_CASE("ESPFormer's plan times the values is its output, and float follows double") {
  for (const auto& size : kSizes) {
    const auto n = size.first;
    const auto m = size.second;
    const Case c = random_case(n, m, {});
    const Computed computed = compute(*make_espformer_attention<double>(0, {3, 0.4}), c);
    const auto entry = [&](std::int64_t i, std::int64_t j) { return computed.plan.rows()(i, j); };
    Matrix plan(n, std::vector<double>(m));
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < m; ++j) plan[i][j] = entry(i, j);
    CHECK(difference(computed.output, product(plan, c.v.rows(), 4)) < kTolerance);
  }
}

TEST_CASE("every kind gives zeros without keys, and nothing without queries") {
  const std::vector<std::unique_ptr<TrainableAttention<double>>> kinds = [] {
    std::vector<std::unique_ptr<TrainableAttention<double>>> out;
    out.push_back(make_sinkformer_attention<double>(3));
    out.push_back(make_espformer_attention<double>(0, {}));
    out.push_back(make_lotformer_attention<double>(2, 3));
    out.push_back(make_differential_attention<double>());
    return out;
  }();
  for (const auto& kind : kinds) {
    const Case c = random_case(3, 3, kind->learned_shape(6));
    Tensor<double> output({3, 4}), gradient({3, 6}), d_learned(c.learned.shape());
    std::ranges::fill(output.flat(), 7.0);
    std::ranges::fill(gradient.flat(), 7.0);
    Arena arena;
    AttentionEvidence evidence;
    AttentionHead<double> head = c.head();
    head.keys = {c.k.data(), 0, 6};
    head.values = {c.v.data(), 0, 4};
    const auto state = kind->forward(head, output.rows(), arena, evidence);
    for (const double value : output.flat()) CHECK(value == 0);
    kind->vjp(head, state, output.rows(), c.v.rows(),
              {gradient.rows(), {nullptr, 0, 6}, {nullptr, 0, 4}, false, d_learned.rows()}, arena);
    for (const double value : gradient.flat()) CHECK(value == 0);

    head = c.head();
    head.queries = {c.q.data(), 0, 6};
    const MatrixView<double> nothing(output.data(), 0, 4);
    kind->vjp(head, kind->forward(head, nothing, arena, evidence), nothing, {output.data(), 0, 4},
              {{nullptr, 0, 6}, gradient.rows(), output.rows(), false, d_learned.rows()}, arena);
    for (const double value : gradient.flat()) CHECK(value == 0);
  }
}

TEST_CASE("networks of every kind compute at inference what they compute in training") {
  for (const AttentionKind kind :
       {AttentionKind::softmax, AttentionKind::sinkhorn, AttentionKind::sinkformer,
        AttentionKind::espformer, AttentionKind::lotformer, AttentionKind::differential}) {
    ModelConfig config;
    config.image_height = config.image_width = 8;
    config.channels = 1;
    config.classes = 4;
    config.patch = 2;
    config.width = 16;
    config.layers = 2;
    config.attention.kind = kind;
    config.attention.learn_epsilon = true;
    config.attention.pivots = 3;
    CAPTURE(describe_model(config));
    Transformer<float> model(config, 3);
    const TensorFile weights = export_parameters(model.parameters());
    const Tensor<float> images = random_tensor<float>({5, 64}, 5);
    Tape<float> tape;
    tape.bind(model.parameters(), {});
    AttentionEvidence evidence;
    PassContext<float> pass{tape, evidence, 0, {}};
    const Var<float> expected = model.forward(pass, ModelInput<float>::of_images(images.rows()));
    Tensor<float> logits({5, 4});
    Arena arena;
    const Encoder encoder(config, weights, "random");
    encoder.forward(ModelInput<float>::of_images(images.rows()), *encoder.teacher(), logits.rows(),
                    arena);
    for (std::int64_t i = 0; i < logits.size(); ++i)  // float32, fused differently
      CHECK(std::abs(logits[i] - expected.value().data[i]) < 1e-5);
  }
}
