// The whole way of texts, point sets and labelled tokens: train, stop, resume, compile, compare.
#include <doctest/doctest.h>

#include "compile/calibration.h"
#include "compile/compile_heads.h"
#include "data/batch.h"
#include "evaluate/compare/comparison.h"
#include "support/small_sequences.h"
#include "support/temporary_folder.h"
#include "train/trainer.h"

using namespace asap::compile;
using namespace asap::config;
using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::infer;
using namespace asap::tensor;
using namespace asap::train;
using namespace asap::test;

namespace {

std::vector<std::int64_t> mixed_lengths(std::int64_t count) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < count; ++i) lengths.push_back(1 + i * 7 % 11);
  return lengths;
}

/// Labels a network can learn: whether the first number of a point is positive, or of most points.
void label_by_sign(Dataset& data) {
  for (std::int64_t example = 0; example < data.size(); ++example) {
    std::int64_t positive = 0;
    for (std::int64_t i = data.offsets[example]; i < data.offsets[example + 1]; ++i) {
      const bool sign = data.points[i * 2] > 0;
      positive += sign ? 1 : 0;
      if (data.labels_tokens && data.labels[i] != kNotScored) data.labels[i] = sign ? 1 : 0;
    }
    if (!data.labels_tokens) data.labels[example] = 2 * positive > data.tokens(example) ? 1 : 0;
  }
  data.fingerprint = dataset_fingerprint(data);
}

TrainConfig config_for(const Dataset& data) {
  TrainConfig config;
  config.model = small_sequence_model(data);
  config.model.dropout = 0.05;
  config.train.batch = 16;
  config.train.shard = 5;
  config.train.epochs = 12;
  config.train.learning_rate = 0.01;
  config.train.checkpoint_every = 7;
  return config;
}

}  // namespace

TEST_CASE("point sets and labelled points are learnt, and a resumed training ends the same") {
  for (const bool labels_tokens : {false, true}) {
    CAPTURE(labels_tokens);
    Dataset data = small_sequences(ModelKind::set, mixed_lengths(160), labels_tokens);
    label_by_sign(data);
    const TrainConfig config = config_for(data);
    const TemporaryFolder folder;
    const TrainingResult whole = train(config, RunFolder(folder / "whole"), data, data, {});
    CHECK(whole.test.accuracy > 0.9);

    const RunFolder parts(folder / "parts");
    TrainerOptions options;
    options.stop_after = 33;
    options.threads = 2;
    train(config, parts, data, data, options);
    options.stop_after = 0;
    options.resume = true;
    const TrainingResult resumed = train(config, parts, data, data, options);
    CHECK(resumed.train_loss == whole.train_loss);
    CHECK(resumed.test.loss == whole.test.loss);
  }
}

TEST_CASE("labelled points are compiled and compared by their scored labels") {
  Dataset data = small_sequences(ModelKind::set, mixed_lengths(160), true);
  label_by_sign(data);
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  const TrainingResult trained = train(config_for(data), run, data, data, {});
  const Encoder encoder = Encoder::load(run.path());
  CompileConfig compile;
  compile.calibration = 96, compile.held_out = 32;
  const CompiledModel compiled =
      compile_heads(capture_activations(encoder, data, 128, 1, 2), compile, 2);
  const Comparison comparison =
      compare_methods(encoder, &compiled.heads, data,
                      {parse_methods(std::vector<std::string>{"teacher", "f0", "compiled"}, 2), 2});
  CHECK(comparison.examples_name == "point sets");
  CHECK(comparison.methods[0].accuracy == doctest::Approx(trained.test.accuracy));
  CHECK(comparison.methods[0].plan_l1 == 0);
  CHECK(comparison.methods[2].plan_l1 < comparison.methods[1].plan_l1);
  CHECK(comparison.methods[2].agreement > 0.97);
}

TEST_CASE("batches of similar length are learnt from too, and a resumed training ends the same") {
  Dataset data = small_sequences(ModelKind::set, mixed_lengths(160));
  label_by_sign(data);
  TrainConfig config = config_for(data);
  config.train.length_pool = 4;
  const TemporaryFolder folder;
  const TrainingResult whole = train(config, RunFolder(folder / "whole"), data, data, {});
  CHECK(whole.test.accuracy > 0.9);
  TrainerOptions options;
  options.stop_after = 33;
  options.threads = 2;
  train(config, RunFolder(folder / "parts"), data, data, options);
  options.stop_after = 0;
  options.resume = true;
  const TrainingResult resumed = train(config, RunFolder(folder / "parts"), data, data, options);
  CHECK(resumed.train_loss == whole.train_loss);
  CHECK(resumed.test.loss == whole.test.loss);
}

TEST_CASE("batching by length changes no prediction") {
  const Dataset data = small_sequences(ModelKind::text, mixed_lengths(64));
  const TemporaryFolder folder;
  TrainerOptions options;
  options.stop_after = 20;
  train(config_for(data), RunFolder(folder / "run"), data, data, options);
  const Encoder encoder = Encoder::load(folder / "run");
  const auto attention = encoder.teacher();
  /// Logits of every example, computed in batches of `size` in this order.
  const auto logits_of = [&](const std::vector<std::int64_t>& order, std::int64_t size) {
    Tensor<float> all({data.size(), encoder.config().classes});
    for (std::int64_t first = 0; first < data.size(); first += size) {
      const auto examples = std::span(order).subspan(first, size);
      Batch batch;
      batch.fill(data, examples);
      Tensor<float> logits({size, encoder.config().classes});
      Arena arena;
      encoder.forward(batch.input(), *attention, logits.rows(), arena);
      for (std::int64_t i = 0; i < size; ++i)
        std::ranges::copy(logits.rows().row(i), all.rows().row(examples[i]).begin());
    }
    return all;
  };
  const std::vector<std::int64_t> drawn = epoch_order(data.size(), 1, 0);
  const Tensor<float> alone = logits_of(drawn, 1), mixed = logits_of(drawn, 16),
                      sorted = logits_of(length_order(data), 16);
  for (std::int64_t i = 0; i < alone.size(); ++i) {
    // Sums in another order, nothing else.
    CHECK(std::abs(mixed[i] - alone[i]) < 1e-5f);
    CHECK(std::abs(sorted[i] - alone[i]) < 1e-5f);
  }
}
