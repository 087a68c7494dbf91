#include "infer/encoder.h"

#include <cmath>

#include <doctest/doctest.h>

#include "attention/operators/compiled_operator.h"
#include "compile/calibration.h"
#include "compile/compile_heads.h"
#include "data/batch.h"
#include "data/dataset.h"
#include "nn/transformer.h"
#include "support/learnable_sequences.h"
#include "support/padded_models.h"
#include "support/small_sequences.h"
#include "support/temporary_folder.h"
#include "support/tiny_training.h"
#include "train/checkpoint.h"
#include "train/trainer.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::compile;
using namespace asap::config;
using namespace asap::data;
using namespace asap::infer;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::train;
using namespace asap::test;

namespace {

/// Counts the calls that another operator gets.
class CountingOperator final : public AttentionOperator {
 public:
  CountingOperator(const AttentionOperator& inner, bool works_by_example)
      : inner_(inner), works_by_example_(works_by_example) {}

  void apply(int layer, const AttentionBatch<float>& batch, MatrixView<float> output,
             Arena& scratch) const override {
    ++calls;
    inner_.apply(layer, batch, output, scratch);
  }
  bool works_by_example() const override { return works_by_example_; }

  mutable int calls = 0;

 private:
  const AttentionOperator& inner_;
  bool works_by_example_;
};

}  // namespace

TEST_CASE("a batch that outgrows the cache runs a few examples at a time, with the same logits") {
  for (const Pooling pooling : {Pooling::mean, Pooling::class_token, Pooling::none}) {
    const bool labels_tokens = pooling == Pooling::none;
    const Dataset data = small_sequences(ModelKind::text, {400, 390, 200}, labels_tokens);
    ModelConfig config = small_sequence_model(data);
    config.width = 64;
    config.pooling = pooling;
    const Transformer<float> model(config, 3);
    const Encoder encoder(config, export_parameters(model.parameters()), "");
    Batch batch;
    batch.fill(data, all_examples(data));
    const auto teacher = encoder.teacher();
    const CountingOperator parts(*teacher, true), whole(*teacher, false);
    const Tensor<double> split = logits_of(encoder, parts, batch),
                         together = logits_of(encoder, whole, batch);
    CHECK(parts.calls == 2 * config.layers);
    CHECK(whole.calls == config.layers);
    const std::int64_t rows = split.shape()[0] / data.size();
    for (std::int64_t b = 0; b < data.size(); ++b)
      for (std::int64_t i = 0; i < (labels_tokens ? data.label_count(b) : 1); ++i)
        for (int c = 0; c < 2; ++c)
          CHECK(split.rows()(b * rows + i, c) == together.rows()(b * rows + i, c));
  }
}

TEST_CASE("in inference a padded batch gives the logits of its examples without padding") {
  for (const ModelConfig& config : all_models()) {
    CAPTURE(name_of(config));
    const Dataset data = small_sequences(config.kind, kLengths, config.labels_tokens());
    Transformer<float> model(config, 3);
    enlarge_weights(model);
    const Encoder encoder(config, export_parameters(model.parameters()), "");
    std::vector<std::unique_ptr<AttentionOperator>> attentions;
    attentions.push_back(encoder.teacher());
    attentions.push_back(encoder.softmax());
    attentions.push_back(encoder.sinkhorn(2));
    if (config.attention.has_sinkhorn_plan()) {
      CompileConfig compile;
      compile.calibration = 4, compile.held_out = 4, compile.slices = 2;
      const Activations captured = capture_activations(encoder, data, 8, 1, 2);
      const CompiledModel compiled = compile_heads(captured, compile, 1);
      attentions.push_back(std::make_unique<CompiledOperator>(compiled.heads));
      attentions.push_back(std::make_unique<CompiledOperator>(compiled.heads, 1));
    }
    for (const auto& attention : attentions)
      CHECK(padding_error(data, [&](const Batch& batch) {
              return logits_of(encoder, *attention, batch);
            }) < kPaddedTolerance);
  }
}

TEST_CASE("inference agrees with the network on the tape for texts and point sets") {
  for (const ModelConfig& config : all_models()) {
    CAPTURE(name_of(config));
    const Dataset data = small_sequences(config.kind, kLengths, config.labels_tokens());
    Transformer<float> model(config, 3);
    Transformer<double> in_double(config, 3);  // the same first values, rounded
    const Encoder encoder(config, export_parameters(model.parameters()), "");
    Batch batch;
    batch.fill(data, all_examples(data));
    const Tensor<double> inferred = logits_of(encoder, *encoder.teacher(), batch);
    const Tensor<double> trained = logits_on_tape(in_double, batch);
    const std::int64_t rows = trained.shape()[0] / data.size();
    for (std::int64_t b = 0; b < data.size(); ++b)
      for (std::int64_t i = 0; i < std::min(rows, data.label_count(b)); ++i)
        for (int c = 0; c < 2; ++c)  // float32 through two layers
          CHECK(std::abs(inferred.rows()(b * rows + i, c) - trained.rows()(b * rows + i, c)) <
                1e-5);
  }
}

TEST_CASE("inference without a tape agrees with the network on the tape") {
  for (const Pooling pooling : {Pooling::mean, Pooling::class_token}) {
    TinyTraining f;
    f.config.model.pooling = pooling;
    f.config.model.attention.learn_epsilon = true;
    const Transformer<float> model(f.config.model, 1);
    const Encoder encoder(f.config.model, export_parameters(model.parameters()), "");
    Tensor<float> logits({7, 6});
    Batch batch;
    batch.fill(f.train_data, std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6});
    Tape<float> tape;
    tape.bind(model.parameters(), {});
    AttentionEvidence evidence;
    PassContext<float> pass{tape, evidence, 0, {}};
    const Var<float> expected = model.forward(pass, batch.input());
    Arena arena;
    encoder.forward(batch.input(), *encoder.teacher(), logits.rows(), arena);
    for (std::int64_t i = 0; i < logits.size();
         ++i)  // the same operations, residuals added in place
      CHECK(std::abs(logits[i] - expected.value().data[i]) < 1e-5);
  }
}

TEST_CASE("batching by length changes no prediction") {
  const Dataset data = small_sequences(ModelKind::text, mixed_lengths(64));
  const TemporaryFolder folder;
  TrainerOptions options;
  options.stop_after = 20;
  train(sequence_training(data), RunFolder(folder / "run"), data, data, options);
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
