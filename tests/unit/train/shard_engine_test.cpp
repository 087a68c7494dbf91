#include "train/shard_engine.h"

#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "data/batch.h"
#include "data/dataset.h"
#include "infer/encoder.h"
#include "nn/transformer.h"
#include "support/padded_models.h"
#include "support/small_sequences.h"
#include "support/tiny_training.h"
#include "train/checkpoint.h"

using namespace asap::autodiff;
using namespace asap::config;
using namespace asap::data;
using namespace asap::infer;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::train;
using namespace asap::test;

TEST_CASE("neither threads nor the way a batch is cut change the gradient of padded examples") {
  for (const bool labels_tokens : {false, true}) {
    const Dataset data = small_sequences(ModelKind::text, kLengths, labels_tokens);
    const Transformer<float> model(small_sequence_model(data), 1);
    const ShardEngineConfig base{.dropout = 0.2, .embedding_dropout = 0.3, .word_dropout = 0.2};
    const auto with = [&](std::int64_t shard, int threads) {
      ShardEngineConfig config = base;
      config.shard = shard;
      config.threads = threads;
      return std::make_unique<ShardEngine>(model, config);
    };
    const auto one = with(3, 1), two = with(3, 2), whole = with(8, 1);
    const double loss = one->compute(data, all_examples(data), 4).loss;
    CHECK(two->compute(data, all_examples(data), 4).loss == loss);
    CHECK(std::ranges::equal(one->gradient(), two->gradient()));
    // What is dropped is decided per example, so that only rounding differs.
    CHECK(whole->compute(data, all_examples(data), 4).loss == doctest::Approx(loss).epsilon(1e-6));
    for (std::size_t i = 0; i < one->gradient().size(); ++i)
      REQUIRE(std::abs(one->gradient()[i] - whole->gradient()[i]) < 1e-5);
  }
}

TEST_CASE("the loss is the mean over scored labels, and others do not matter") {
  Dataset data = small_sequences(ModelKind::text, kLengths, true);
  const Transformer<float> model(small_sequence_model(data), 1);
  const Encoder encoder(model.config(), export_parameters(model.parameters()), "");
  ShardEngine engine(model, {.shard = 3});
  const StepOutcome outcome = engine.compute(data, all_examples(data), 0);
  double loss = 0, correct = 0, scored = 0;
  Batch batch;
  for (std::int64_t example = 0; example < data.size(); ++example) {
    batch.fill(data, std::vector{example});
    const Tensor<double> logits = logits_of(encoder, *encoder.teacher(), batch);
    for (std::int64_t i = 0; i < logits.shape()[0]; ++i) {
      const std::int32_t label = batch.labels()[i];
      if (label == kNotScored) continue;
      const VectorView<const double> row = logits.rows().row(i);
      loss += std::log(std::exp(row[0]) + std::exp(row[1])) - row[label];
      correct += (row[1] > row[0] ? 1 : 0) == label ? 1 : 0;
      ++scored;
    }
  }
  CHECK(outcome.loss == doctest::Approx(loss / scored).epsilon(1e-5));
  CHECK(outcome.accuracy == doctest::Approx(correct / scored));
}

TEST_CASE("the gradient of a batch is the same to the last bit for any number of threads") {
  TinyTraining f;
  const Transformer<float> model(f.config.model, 1);
  std::vector<std::int64_t> indices(24);
  std::iota(indices.begin(), indices.end(), 3);
  Tensor<float> expected;
  double loss = 0;
  for (const int threads : {1, 2, 3, 5}) {
    ShardEngine engine(model, {.shard = 5, .threads = threads, .dropout = 0.1});
    const StepOutcome outcome = engine.compute(f.train_data, indices, 4);
    if (threads == 1) {
      expected = Tensor<float>({static_cast<std::int64_t>(engine.gradient().size())});
      std::ranges::copy(engine.gradient(), expected.flat().begin());
      loss = outcome.loss;
    }
    CHECK(outcome.loss == loss);
    CHECK(std::ranges::equal(engine.gradient(), expected.flat()));
  }
}

TEST_CASE("the sharded gradient is the gradient of the whole batch") {
  TinyTraining f;
  const Transformer<float> model(f.config.model, 1);
  std::vector<std::int64_t> indices(24);
  std::iota(indices.begin(), indices.end(), 0);
  ShardEngine sharded(model, {.shard = 5, .threads = 2}), whole(model, {.shard = 24});
  const double loss = sharded.compute(f.train_data, indices, 0).loss;
  CHECK(loss == doctest::Approx(whole.compute(f.train_data, indices, 0).loss).epsilon(1e-6));
  for (std::size_t i = 0; i < sharded.gradient().size(); ++i)  // float32 sums in another order
    REQUIRE(std::abs(sharded.gradient()[i] - whole.gradient()[i]) < 1e-5);
}
