// A padded token is as if it were not there: in training, in inference, for every kind of model, of
// pooling and of attention.
#include <cmath>

#include <doctest/doctest.h>

#include "attention/operators/compiled_operator.h"
#include "autodiff/row_ops.h"
#include "compile/calibration.h"
#include "compile/compile_heads.h"
#include "data/batch.h"
#include "infer/encoder.h"
#include "nn/transformer.h"
#include "support/small_sequences.h"
#include "train/checkpoint.h"
#include "train/shard_engine.h"

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

// Results that differ only in the order of a few sums.
constexpr double kTolerance = 1e-6;

const std::vector<std::int64_t> kLengths = {3, 7, 1, 5, 12, 7, 2, 9};

/// Every kind of input with every pooling it may have, with positions and without.
std::vector<ModelConfig> all_models() {
  std::vector<ModelConfig> configs;
  for (const ModelKind kind : {ModelKind::text, ModelKind::set})
    for (const Pooling pooling : {Pooling::mean, Pooling::class_token, Pooling::none})
      for (const AttentionKind attention :
           {AttentionKind::softmax, AttentionKind::sinkhorn, AttentionKind::sinkformer,
            AttentionKind::espformer, AttentionKind::lotformer, AttentionKind::differential}) {
        const Dataset data = small_sequences(kind, kLengths, pooling == Pooling::none);
        ModelConfig config = small_sequence_model(data);
        config.pooling = pooling;
        config.attention.kind = attention;
        config.point_frequencies = kind == ModelKind::set ? 2 : 0;
        configs.push_back(config);
      }
  configs.front().positions = Positions::none;
  return configs;
}

/// Weights far from their first values, so that attention is far from uniform.
template <class T>
void enlarge_weights(Transformer<T>& model) {
  for (const auto& entry : model.parameters().entries()) {
    const T factor = entry.name.ends_with("qkv.weight") ? T(4) : T(1);
    for (std::int64_t i = 0; i < entry.shape.size(); ++i)
      model.parameters().flat()[static_cast<std::size_t>(entry.offset + i)] *= factor;
  }
}

/// A batch in float64.
struct DoubleInput {
  explicit DoubleInput(const ModelInput<float>& input)
      : values({input.values.rows, std::max<std::int64_t>(input.values.cols, 1)}) {
    for (std::int64_t i = 0; i < input.values.rows; ++i)
      std::ranges::copy(input.values.row(i), values.rows().row(i).begin());
    view = {
        .examples = input.examples, .tokens = input.tokens, .ids = input.ids, .live = input.live};
    if (input.values.rows > 0) view.values = values.rows();
  }
  Tensor<double> values;
  ModelInput<double> view;
};

/// Logits [rows, classes] of one padded batch, on the tape.
Tensor<double> logits_on_tape(const Transformer<double>& model, const Batch& batch) {
  Tape<double> tape;
  tape.bind(model.parameters(), {});
  AttentionEvidence evidence;
  PassContext<double> pass{tape, evidence};
  const DoubleInput input(batch.input());
  const TensorView<const double> value = model.forward(pass, input.view).value();
  Tensor<double> out({value.rows().rows, value.rows().cols});
  std::ranges::copy(value.flat(), out.flat().begin());
  return out;
}

Tensor<double> logits_of(const Encoder& encoder, const AttentionOperator& attention,
                         const Batch& batch) {
  Tensor<float> logits({encoder.logit_rows(batch.input()), encoder.config().classes});
  Arena arena;
  encoder.forward(batch.input(), attention, logits.rows(), arena);
  Tensor<double> out(logits.shape());
  std::ranges::copy(logits.flat(), out.flat().begin());
  return out;
}

std::vector<std::int64_t> all_examples(const Dataset& data) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < data.size(); ++i) all.push_back(i);
  return all;
}

/// Largest difference between the logits of live rows in one padded batch and example by example.
template <class Logits>
double padding_error(const Dataset& data, const Logits& logits) {
  Batch together, alone;
  together.fill(data, all_examples(data));
  REQUIRE_FALSE(together.input().live.empty());
  const Tensor<double> padded = logits(together);
  const std::int64_t rows = padded.shape()[0] / data.size();
  double error = 0;
  for (std::int64_t example = 0; example < data.size(); ++example) {
    alone.fill(data, std::vector{example});
    CHECK(alone.input().live.empty());
    const Tensor<double> single = logits(alone);
    for (std::int64_t i = 0; i < single.size(); ++i)
      error = std::max(error, std::abs(single[i] - padded.rows().row(example * rows).data()[i]));
  }
  return error;
}

std::string name_of(const ModelConfig& config) {
  return describe_model(config) + ", pooling " + std::to_string(static_cast<int>(config.pooling));
}

}  // namespace

TEST_CASE("in training a padded batch gives the logits of its examples without padding") {
  for (const ModelConfig& config : all_models()) {
    CAPTURE(name_of(config));
    const Dataset data = small_sequences(config.kind, kLengths, config.labels_tokens());
    Transformer<double> model(config, 3);
    enlarge_weights(model);
    CHECK(padding_error(data, [&](const Batch& batch) { return logits_on_tape(model, batch); }) <
          kTolerance);
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
            }) < kTolerance);
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

TEST_CASE("what is captured of padded batches is what single examples give the attention") {
  const Dataset data = small_sequences(ModelKind::text, kLengths);
  const ModelConfig config = small_sequence_model(data);
  const Transformer<float> model(config, 3);
  const Encoder encoder(config, export_parameters(model.parameters()), "");
  const Activations together = capture_activations(encoder, data, 8, 1, 1);
  const std::vector<std::int64_t> drawn = draw_examples(8, 8, 1);
  for (std::int64_t place = 0; place < 8; ++place) {
    CHECK(together.live_keys[place] == kLengths[drawn[place]]);
    Dataset single = small_sequences(ModelKind::text, {kLengths[drawn[place]]});
    single.ids.assign(data.ids.begin() + data.offsets[drawn[place]],
                      data.ids.begin() + data.offsets[drawn[place] + 1]);
    const Activations alone = capture_activations(encoder, single, 1, 1, 1);
    const AttentionBatch<float> padded = together.batch(1), exact = alone.batch(1);
    for (std::int64_t head = 0; head < 2; ++head) {
      REQUIRE(padded.head_keys(place, head).rows == exact.head_keys(0, head).rows);
      for (std::int64_t i = 0; i < exact.head_keys(0, head).rows; ++i)
        for (int d = 0; d < 4; ++d)
          CHECK(std::abs(padded.head_keys(place, head)(i, d) - exact.head_keys(0, head)(i, d)) <
                kTolerance);
    }
  }
}

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
