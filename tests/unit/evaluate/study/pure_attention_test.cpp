#include "evaluate/study/pure_attention.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "data/dataset.h"
#include "evaluate/study/plan_measures.h"
#include "nn/transformer.h"
#include "support/small_sequences.h"
#include "train/checkpoint.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::infer;
using namespace asap::tensor;
using namespace asap::test;

namespace {

Encoder random_encoder(AttentionKind kind) {
  ModelConfig config = small_sequence_model(small_sequences(ModelKind::text, {9, 7, 5}, false));
  config.attention.kind = kind;
  config.layers = 3;
  const asap::nn::Transformer<float> model(config, 4);
  return {config, asap::train::export_parameters(model.parameters()), ""};
}

Tensor<float> random_tokens(std::int64_t rows, std::int64_t width, double size) {
  Tensor<float> out({rows, width});
  asap::base::RandomStream random(6, asap::base::RandomPurpose::test);
  for (float& value : out.flat()) value = static_cast<float>(size * random.normal());
  return out;
}

/// Tokens after one layer of attention alone, by loops over the operator's plans.
Tensor<float> one_layer(const Encoder& encoder, int layer, const Tensor<float>& x) {
  const AttentionWeights weights = encoder.attention_weights(layer);
  const std::int64_t n = x.rows().rows, width = x.rows().cols, heads = encoder.config().heads;
  Tensor<float> qkv({n, 3 * width}), plans({n, heads * n}), out({n, width});
  apply_linear(weights.qkv, x.rows(), 0, qkv.rows());
  Arena arena;
  encoder.teacher()->plans(layer,
                           {.queries = qkv.rows().block(0, 0, n, width),
                            .keys = qkv.rows().block(0, width, n, width),
                            .values = qkv.rows().block(0, 2 * width, n, width),
                            .examples = 1,
                            .heads = heads},
                           plans.rows(), arena);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < width; ++c) {
      double sum = weights.output.bias[c];
      for (std::int64_t k = 0; k < width; ++k)
        for (std::int64_t j = 0; j < n; ++j)
          sum += double{weights.output.weight.rows()(c, k)} *
                 plans.rows()(i, k / (width / heads) * n + j) * qkv.rows()(j, 2 * width + k);
      out.rows()(i, c) = static_cast<float>(sum);
    }
  return out;
}

}  // namespace

TEST_CASE("attention alone is the plans times the values, with nothing else of the network") {
  for (const AttentionKind kind : {AttentionKind::softmax, AttentionKind::sinkhorn}) {
    const Encoder encoder = random_encoder(kind);
    const PureAttention pure(encoder);
    Tensor<float> x = random_tokens(6, encoder.config().width, 1);
    std::vector<double> residuals(4), bounds(4);
    pure.add(*encoder.teacher(), {x.rows(), 1}, residuals, bounds);
    for (int depth = 0; depth <= 3; ++depth) {
      if (depth > 0) x = one_layer(encoder, depth - 1, x);
      CAPTURE(depth);
      // Float rounding of tokens whose differences are this share of their size.
      CHECK(std::abs(residuals[depth] - rank_one_residual(x.rows())) < 1e-5);
      CHECK(residuals[depth] <= bounds[depth] + 1e-5);
      CHECK(bounds[depth] <= 1);
    }
    CHECK(residuals[3] < residuals[0]);
  }
}

TEST_CASE("small tokens have a bound that bounds something, for softmax and Sinkhorn alike") {
  const Encoder encoder = random_encoder(AttentionKind::sinkhorn);
  const PureAttention pure(encoder);
  const Tensor<float> x = random_tokens(6, encoder.config().width, 0.02);
  CHECK(pure.base(x.rows()) < 1);
  CHECK(pure.base(x.rows()) < pure.theorem_base(x.rows()));
  std::vector<double> residuals(4), bounds(4), softmax(4), none;
  pure.add(*encoder.teacher(), {x.rows(), 1}, residuals, bounds);
  CHECK(bounds[1] < 1);
  CHECK(bounds[1] > residuals[1]);
  CHECK(bounds[2] < std::pow(bounds[1], 2));
  pure.add(*encoder.softmax(), {x.rows(), 1}, softmax, none);
  CHECK(softmax[0] == residuals[0]);
}

TEST_CASE("padding has no part in it") {
  const Encoder encoder = random_encoder(AttentionKind::sinkhorn);
  const PureAttention pure(encoder);
  const std::int64_t width = encoder.config().width;
  Tensor<float> padded = random_tokens(8, width, 1);
  const std::vector<std::int32_t> live = {5};
  std::vector<double> with(4), without(4), bounds(4), other_bounds(4);
  pure.add(*encoder.teacher(), {padded.rows(), 1, live}, with, bounds);
  pure.add(*encoder.teacher(), {padded.rows().block(0, 0, 5, width), 1}, without, other_bounds);
  for (int depth = 0; depth <= 3; ++depth) {
    CHECK(with[depth] == doctest::Approx(without[depth]).epsilon(1e-4));
    CHECK(bounds[depth] == doctest::Approx(other_bounds[depth]).epsilon(1e-4));
  }
}
