#include "compile/calibration.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/operators/compiled_operator.h"
#include "base/random.h"
#include "compile/activations.h"
#include "compile/compile_heads.h"
#include "data/batch.h"
#include "infer/encoder.h"
#include "io/safetensors.h"
#include "nn/transformer.h"
#include "support/expect_error.h"
#include "support/padded_models.h"
#include "support/small_sequences.h"
#include "train/checkpoint.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::compile;
using namespace asap::config;
using namespace asap::data;
using namespace asap::infer;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::train;

namespace asap::test {
namespace {

config::ModelConfig small_model() {
  config::ModelConfig config;
  config.image_height = config.image_width = 8;
  config.channels = 1;
  config.classes = 3;
  config.patch = 2;
  config.width = 8;
  config.heads = 2;
  config.layers = 2;
  config.attention.iterations = 30;  // converged, so that further iterations lead to it
  config.attention.epsilon = 0.5;
  return config;
}

infer::Encoder small_encoder(const config::ModelConfig& config = small_model()) {
  base::RandomStream random(61, base::RandomPurpose::test);
  io::TensorFile file;
  const auto put = [&](const std::string& name, const tensor::Shape& shape, double offset) {
    tensor::Tensor<float> tensor(shape);
    for (float& value : tensor.flat()) value = static_cast<float>(offset + 0.5 * random.normal());
    file.put(name, tensor);
  };
  const auto affine = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    put(name + ".weight", {out, in}, 0);
    put(name + ".bias", {out}, 0);
  };
  const auto norm = [&](const std::string& name) {
    put(name + ".weight", {config.width}, 1);
    put(name + ".bias", {config.width}, 0);
  };
  affine("embedding.patch", config.width, config.patch_size());
  put("embedding.position", {config.tokens(), config.width}, 0);
  for (const std::string layer : {"layers.0.", "layers.1."}) {
    norm(layer + "attention_norm");
    affine(layer + "attention.qkv", 3 * config.width, config.width);
    affine(layer + "attention.output", config.width, config.width);
    norm(layer + "feed_forward_norm");
    affine(layer + "feed_forward.up", config.hidden_width(), config.width);
    affine(layer + "feed_forward.down", config.width, config.hidden_width());
  }
  norm("final_norm");
  affine("head", config.classes, config.width);
  return {config, file, "fingerprint"};
}

data::Dataset small_images(std::int64_t count) {
  data::Dataset dataset;
  dataset.name = "noise";
  dataset.height = dataset.width = 8;
  base::RandomStream random(62, base::RandomPurpose::test);
  for (std::int64_t k = 0; k < count * 64; ++k)
    dataset.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  dataset.labels.assign(count, 0);
  dataset.class_names = {"a", "b", "c"};
  return dataset;
}

/// Keeps the queries of one layer and head of a batch with one example.
struct Recorder : attention::AttentionOperator {
  const attention::AttentionOperator& inner;
  int layer;
  mutable std::vector<float> queries, values;

  Recorder(const attention::AttentionOperator& inner, int layer) : inner(inner), layer(layer) {}
  void apply(int index, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    if (index == layer)
      for (std::int64_t i = 0; i < batch.queries.rows; ++i) {
        std::ranges::copy(batch.queries.row(i), std::back_inserter(queries));
        std::ranges::copy(batch.values.row(i), std::back_inserter(values));
      }
    inner.apply(index, batch, output, scratch);
  }
};

TEST_CASE("What is captured is what the teacher's attention is given, example by example") {
  const infer::Encoder encoder = small_encoder();
  const data::Dataset images = small_images(50);
  const compile::Activations captured = compile::capture_activations(encoder, images, 37, 5, 1);
  CHECK(captured.examples == 37);
  CHECK(captured.iterations == 30);
  CHECK(captured.model_fingerprint == "fingerprint");
  CHECK(captured.layers[1].score_scales[0] == doctest::Approx(1 / (std::sqrt(4.0) * 0.5)));

  const std::vector<std::int64_t> drawn = compile::draw_examples(50, 37, 5);
  for (const std::int64_t place : {0, 17, 36}) {
    const auto teacher = encoder.teacher();
    const Recorder watched(*teacher, 1);
    tensor::Tensor<float> logits({1, 3});
    data::Batch image;
    tensor::Arena arena;
    image.fill(images, std::span(&drawn[place], 1));
    encoder.forward(image.input(), watched, logits.rows(), arena);
    const std::int64_t size = 16 * 8;  // tokens * width
    const float* queries = captured.layers[1].queries.data() + place * size;
    const float* values = captured.layers[1].values.data() + place * size;
    // Products over batches of another size may be summed in another order.
    for (std::int64_t k = 0; k < size; ++k) {
      CHECK(std::abs(queries[k] - watched.queries[k]) < 1e-4f);
      CHECK(std::abs(values[k] - watched.values[k]) < 1e-4f);
    }
  }
}

TEST_CASE("Capturing does not depend on the number of threads") {
  const infer::Encoder encoder = small_encoder();
  const data::Dataset images = small_images(50);
  const compile::Activations one = compile::capture_activations(encoder, images, 50, 1, 1);
  const compile::Activations two = compile::capture_activations(encoder, images, 50, 1, 2);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    CHECK(std::ranges::equal(one.layers[layer].queries.flat(), two.layers[layer].queries.flat()));
    CHECK(std::ranges::equal(one.layers[layer].keys.flat(), two.layers[layer].keys.flat()));
    CHECK(std::ranges::equal(one.layers[layer].values.flat(), two.layers[layer].values.flat()));
  }
}

TEST_CASE("Too few images are a data error that names the data set") {
  CHECK_THROWS_WITH_AS(compile::capture_activations(small_encoder(), small_images(3), 4, 1, 1),
                       "noise: 3 examples, but calibration and held_out need 4", base::DataError);
}

TEST_CASE("A compiled network answers like its teacher, and better than with a dual of zero") {
  const infer::Encoder encoder = small_encoder();
  const data::Dataset images = small_images(300);
  compile::CompileConfig config;
  config.calibration = 200, config.held_out = 50;
  const compile::Activations captured = compile::capture_activations(encoder, images, 250, 1, 2);
  const compile::CompiledModel model = compile::compile_heads(captured, config, 2);
  std::vector<std::vector<attention::CompiledHead>> zero = model.heads;
  for (auto& layer : zero)
    for (attention::CompiledHead& head : layer)
      head = attention::CompiledHead::zero_dual(head.score_scale);

  std::vector<std::int64_t> all(300);
  for (std::int64_t i = 0; i < 300; ++i) all[i] = i;
  data::Batch batch;
  batch.fill(images, all);
  tensor::Arena arena;
  const auto answer = [&](const attention::AttentionOperator& attention) {
    tensor::Tensor<float> logits({300, 3});
    encoder.forward(batch.input(), attention, logits.rows(), arena);
    return logits;
  };
  const tensor::Tensor<float> teacher = answer(*encoder.teacher());
  const auto distance = [&](const tensor::Tensor<float>& logits) {
    double total = 0;
    for (std::int64_t k = 0; k < logits.size(); ++k) total += std::pow(logits[k] - teacher[k], 2);
    return std::sqrt(total);
  };
  const double compiled = distance(answer(attention::CompiledOperator(model.heads)));
  const double iterated = distance(answer(attention::CompiledOperator(model.heads, 3)));
  CHECK(compiled < 0.5 * distance(answer(attention::CompiledOperator(zero))));
  CHECK(iterated < 0.5 * compiled);
}

TEST_CASE("On a softmax network the teacher is Sinkhorn on its scores, in every layer") {
  config::ModelConfig model = small_model();
  model.attention.kind = config::AttentionKind::softmax;
  const infer::Encoder softmax = small_encoder(model);
  config::ModelConfig sinkhorn_model = small_model();
  sinkhorn_model.attention.iterations = 7;
  const infer::Encoder sinkhorn = small_encoder(sinkhorn_model);
  const data::Dataset images = small_images(20);
  const std::vector<std::int64_t> examples = {3, 11, 4};
  const compile::Activations captured =
      compile::capture_activations(softmax, images, examples, 7, 1);
  const compile::Activations expected =
      compile::capture_activations(sinkhorn, images, examples, std::nullopt, 1);
  CHECK(captured.iterations == 7);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    CHECK(captured.layers[layer].score_scales == expected.layers[layer].score_scales);
    CHECK(std::ranges::equal(captured.layers[layer].queries.flat(),
                             expected.layers[layer].queries.flat()));
  }
  CHECK(compile::capture_activations(softmax, images, examples, std::nullopt, 1).iterations == 0);
}

TEST_CASE("What cannot be imitated is refused with what can") {
  config::ModelConfig model = small_model();
  compile::CompileConfig config;
  compile::check_teacher(config, model, "run");
  model.attention.kind = config::AttentionKind::softmax;
  expect_error<base::UsageError>([&] { compile::check_teacher(config, model, "run"); },
                                 {"run: ", "nothing to compile", "`teacher` sinkhorn:10"});
  model.attention.kind = config::AttentionKind::lotformer;  // imitates nothing, so no such hint
  try {
    compile::check_teacher(config, model, "run");
    FAIL("lotformer is refused");
  } catch (const base::UsageError& error) {
    CHECK(std::string(error.hint()).find("sinkhorn:10") == std::string::npos);
  }
  model.attention.kind = config::AttentionKind::softmax;
  config.teacher = "sinkhorn:10";
  compile::check_teacher(config, model, "run");
  for (const config::AttentionKind kind :
       {config::AttentionKind::lotformer, config::AttentionKind::differential}) {
    model.attention.kind = kind;
    expect_error<base::UsageError>([&] { compile::check_teacher(config, model, "run"); },
                                   {"sinkhorn:10 needs scores"});
  }
  for (const char* teacher : {"sinkhorn", "sinkhorn:", "sinkhorn:0", "sinkhorn:3x", "sinkhorn:-1",
                              "sinkhorn:10001", "", "Own"}) {
    CAPTURE(teacher);
    config.teacher = teacher;
    expect_error<base::UsageError>([&] { config.validate("flags"); },
                                   {"flags: teacher: expected own or sinkhorn:T"});
  }
  config.teacher = "softmax";
  expect_error<base::UsageError>([&] { config.validate("flags"); }, {"normalises the columns"});
}

TEST_CASE("Calibration examples are drawn without repetition and depend on the seed alone") {
  const std::vector<std::int64_t> drawn = compile::draw_examples(100, 60, 1);
  std::vector<std::int64_t> sorted = drawn;
  std::ranges::sort(sorted);
  CHECK(std::ranges::adjacent_find(sorted) == sorted.end());
  CHECK(sorted.front() >= 0);
  CHECK(sorted.back() < 100);
  CHECK(compile::draw_examples(100, 60, 1) == drawn);
  CHECK(compile::draw_examples(100, 60, 2) != drawn);
  const std::vector<std::int64_t> fewer = compile::draw_examples(100, 20, 1);
  CHECK(std::ranges::equal(fewer, std::span(drawn).first(20)));
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
                kPaddedTolerance);
    }
  }
}

}  // namespace
}  // namespace asap::test
