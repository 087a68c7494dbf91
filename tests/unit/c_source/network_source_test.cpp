#include "c_source/network_source.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "attention/operators/loop_heads.h"
#include "base/error.h"
#include "infer/encoder.h"
#include "support/compiled_c.h"
#include "support/varied_networks.h"

namespace asap::test {
namespace {

using attention::CompiledHead;
using attention::CompiledMode;
using attention::DualFeatures;
using config::ModelKind;

c_source::Heads loop_of(const infer::Encoder& encoder, int iterations) {
  return attention::loop_heads(iterations, encoder.score_scales(), encoder.slacks());
}

/// A map in the first layer, the loop in the others.
c_source::Heads map_then_loop(const infer::Encoder& encoder, const DualFeatures& features,
                              CompiledMode mode = CompiledMode::row_dual) {
  base::RandomStream random(64, base::RandomPurpose::test, 1);
  c_source::Heads heads = loop_of(encoder, 3);
  for (CompiledHead& head : heads[0]) {
    const float scale = head.score_scale;
    head = random_head(features, mode, encoder.config().head_width(), random);
    head.score_scale = scale;
  }
  return heads;
}

/// Two or more examples of different lengths; of images, as many.
struct Batch {
  std::vector<std::int32_t> ids, lengths;
  tensor::Tensor<float> stored, values;  // as a file holds them, and normalised
  config::ModelInput<float> input;
};

Batch random_batch(const config::ModelConfig& model) {
  base::RandomStream random(65, base::RandomPurpose::test, 1);
  Batch batch;
  if (model.kind == ModelKind::vit) {
    batch.stored = tensor::Tensor<float>({3, model.image_size()});
    batch.values = tensor::Tensor<float>({3, model.image_size()});
    for (std::int64_t i = 0; i < batch.values.size(); ++i) {
      batch.stored[i] = static_cast<float>(random.below(256));
      batch.values[i] =
          static_cast<float>((double{batch.stored[i]} / 255 - kPixelMean) / kPixelDeviation);
    }
    batch.input = config::ModelInput<float>::of_images(batch.values.rows());
    return batch;
  }
  batch.lengths = {5, 19, 1, 12};
  batch.input = {.examples = 4, .tokens = 19};
  for (int i = 0; i < 4 * 19; ++i) batch.ids.push_back(static_cast<std::int32_t>(random.below(11)));
  batch.values = random_floats({4 * 19, 3}, 0.5f, random);
  if (model.kind == ModelKind::text) batch.input.ids = batch.ids;
  if (model.kind == ModelKind::set) batch.input.values = batch.values.rows();
  batch.input.live = batch.lengths;
  return batch;
}

using ImageForward = void(const float*, int, float*, float*);
template <class Value>
using SequenceForward = int(const Value*, const int*, int, int, float*, float*);

std::string code_of(const config::ModelConfig& model, const io::TensorFile& weights,
                    const c_source::Heads& heads) {
  const std::string code = c_source::network_source({model,
                                                     weights,
                                                     heads,
                                                     {"a", "\"quoted\" \\ ?\?/", "caf\xc3\xa9"},
                                                     kPixelMean,
                                                     kPixelDeviation},
                                                    {"net", {"A test: */ ends no comment."}});
  return code + (model.kind == ModelKind::vit
                     ? "size_t test_scratch(void) { return NET_SCRATCH_FLOATS; }\n"
                     : "size_t test_scratch(void) { return NET_SCRATCH_FLOATS(19); }\n");
}

/// The logits that the compiled file computes, with exactly the scratch it needs.
tensor::Tensor<float> run_file(const CompiledFile& file, const config::ModelConfig& model,
                               const Batch& batch, const tensor::Shape& shape) {
  tensor::Tensor<float> logits(shape);
  GuardedScratch scratch(static_cast<std::int64_t>(file.function<std::size_t()>("test_scratch")()));
  if (model.kind == ModelKind::vit)
    file.function<ImageForward>("net_forward")(batch.stored.data(), 3, logits.data(),
                                               scratch.data());
  else if (model.kind == ModelKind::text)
    CHECK(file.function<SequenceForward<int>>("net_forward")(
              batch.ids.data(), batch.lengths.data(), 4, 19, logits.data(), scratch.data()) == 0);
  else
    CHECK(file.function<SequenceForward<float>>("net_forward")(batch.values.data(),
                                                               batch.lengths.data(), 4, 19,
                                                               logits.data(), scratch.data()) == 0);
  CHECK(scratch.is_respected());
  return logits;
}

/// The largest difference of the logits that count; those of padding must be 0.
double difference_of(const config::ModelConfig& model, const Batch& batch,
                     const tensor::Tensor<float>& logits, const tensor::Tensor<float>& expected) {
  double largest = 0;
  for (std::int64_t row = 0; row < logits.rows().rows; ++row)
    for (std::int64_t c = 0; c < model.classes; ++c) {
      if (model.labels_tokens() && row % 19 >= batch.lengths[static_cast<std::size_t>(row / 19)]) {
        CHECK(logits.rows()(row, c) == 0);
        continue;
      }
      const double difference = std::abs(double{logits.rows()(row, c)} - expected.rows()(row, c));
      REQUIRE(difference == difference);
      largest = std::max(largest, difference);
    }
  return largest;
}

using MakeHeads = std::function<c_source::Heads(const infer::Encoder&)>;

void check_network(const std::string& title, const config::ModelConfig& model,
                   const MakeHeads& make, const std::string& compiler = "gcc") {
  CAPTURE(title);
  CAPTURE(compiler);
  const io::TensorFile weights = varied_weights(model, {63, base::RandomPurpose::test, 1});
  const infer::Encoder encoder(model, weights, "random");
  const c_source::Heads heads = make(encoder);
  const Batch batch = random_batch(model);
  tensor::Tensor<float> expected({encoder.logit_rows(batch.input), model.classes});
  tensor::Arena arena;
  encoder.forward(batch.input, attention::CompiledOperator(heads), expected.rows(), arena);
  const CompiledFile file(code_of(model, weights, heads), compiler);
  const tensor::Tensor<float> logits = run_file(file, model, batch, expected.shape());
  // Logits are around 1, in float32 on both sides.
  CHECK(difference_of(model, batch, logits, expected) < 1e-5);
}

MakeHeads loop(int iterations) {
  return [=](const infer::Encoder& encoder) { return loop_of(encoder, iterations); };
}
MakeHeads map(const DualFeatures& features, CompiledMode mode = CompiledMode::row_dual) {
  return [=](const infer::Encoder& encoder) { return map_then_loop(encoder, features, mode); };
}

const DualFeatures kAllFeatures{.first_dual = true, .landmarks = 3, .corrections = 2};

TEST_CASE("networks on images compute our logits within 1e-5") {
  config::ModelConfig model = small_model(ModelKind::vit);
  for (const std::string& compiler : c_compilers())
    check_network("all features", model, map(kAllFeatures), compiler);
  check_network("softmax", model, loop(0));
  check_network("key bias", model,
                map({.log_sum_exp = false, .landmarks = 3}, CompiledMode::key_bias));
  model.attention.slack = config::SlackKind::learned;
  model.attention.slack_start = 0.5;
  model.feed_forward.activation = config::Activation::relu;
  check_network("slack, ReLU", model, loop(6));
  model = small_model(ModelKind::vit);
  model.pooling = config::Pooling::class_token;
  model.feed_forward.kind = config::FeedForwardKind::region;
  check_network("class token, region-constrained activations", model, loop(6));
}

TEST_CASE("networks on texts compute our logits within 1e-5") {
  config::ModelConfig model = small_model(ModelKind::text);
  for (const std::string& compiler : c_compilers())
    check_network("all features", model, map(kAllFeatures), compiler);
  model.pooling = config::Pooling::none;
  model.positions = config::Positions::none;
  check_network("labelled tokens without positions", model, loop(6));
  model = small_model(ModelKind::text);
  model.pooling = config::Pooling::first_token;  // as BERT
  model.pooler = true;
  model.norm = config::NormPosition::post;
  model.norm_epsilon = 0.01;
  model.embedding_norm = true;
  model.separator = 4;
  model.feed_forward.activation = config::Activation::gelu_erf;
  check_network("as BERT", model, loop(1));
  model = small_model(ModelKind::text);
  model.pooling = config::Pooling::class_token;
  model.separator = 7;
  check_network("class token and separator", model, map(DualFeatures::none()));
}

TEST_CASE("networks on sets of points compute our logits within 1e-5") {
  config::ModelConfig model = small_model(ModelKind::set);
  model.point_frequencies = 2;
  check_network("frequencies", model, map(kAllFeatures));
  model.pooling = config::Pooling::none;
  check_network("labelled points", model, loop(6));
}

TEST_CASE("what cannot be read gives -1 and writes nothing, and an empty example the bias") {
  const config::ModelConfig model = small_model(ModelKind::text);
  const io::TensorFile weights = varied_weights(model, {63, base::RandomPurpose::test, 1});
  const c_source::Heads heads = loop_of(infer::Encoder(model, weights, "random"), 2);
  const CompiledFile file(code_of(model, weights, heads));
  auto* forward = file.function<SequenceForward<int>>("net_forward");
  std::vector<int> ids(2 * 19, 3), lengths{4, 0};
  std::vector<float> logits(6, 7.0f);
  GuardedScratch scratch(static_cast<std::int64_t>(file.function<std::size_t()>("test_scratch")()));
  const auto answer = [&](int tokens) {
    return forward(ids.data(), lengths.data(), 2, tokens, logits.data(), scratch.data());
  };
  for (const int length : {-1, 20}) {
    lengths[1] = length;
    CHECK(answer(19) == -1);
  }
  lengths[1] = 4;
  for (const int id : {-1, 11}) {
    ids[19 + 3] = id;
    CHECK(answer(19) == -1);
  }
  CHECK(answer(21) == -1);
  CHECK(logits[0] == 7);
  lengths[1] = 3;  // before the id that is none
  CHECK(answer(19) == 0);
  lengths[1] = 0;
  CHECK(answer(19) == 0);
  const tensor::Tensor<float> bias = weights.get<float>("head.bias", {3});
  for (int c = 0; c < 3; ++c) CHECK(logits[static_cast<std::size_t>(3 + c)] == bias[c]);
  // Without lengths every token counts.
  std::vector<float> all(3), same(3);
  std::fill(ids.begin(), ids.end(), 5);
  lengths = {19};
  CHECK(forward(ids.data(), lengths.data(), 1, 19, all.data(), scratch.data()) == 0);
  CHECK(forward(ids.data(), nullptr, 1, 19, same.data(), scratch.data()) == 0);
  CHECK(all == same);
  using Names = const char* const;
  const auto* names = file.function<Names>("net_class_names");
  CHECK(std::string(names[1]) == "\"quoted\" \\ ?\?/");
  CHECK(std::string(names[2]) == "caf\xc3\xa9");
}

TEST_CASE("weights that are missing or not finite are refused by name") {
  const config::ModelConfig model = small_model(ModelKind::set);
  io::TensorFile weights = varied_weights(model, {63, base::RandomPurpose::test, 1});
  const c_source::Heads heads = loop_of(infer::Encoder(model, weights, "random"), 2);
  tensor::Tensor<float> bias({3});
  bias[1] = std::numeric_limits<float>::infinity();
  weights.put("head.bias", bias);
  CHECK_THROWS_WITH_AS(code_of(model, weights, heads), doctest::Contains("head.bias"),
                       base::DataError);
  weights.tensors.erase("head.bias");
  CHECK_THROWS_WITH_AS(code_of(model, weights, heads), doctest::Contains("head.bias"),
                       base::DataError);
}

}  // namespace
}  // namespace asap::test
