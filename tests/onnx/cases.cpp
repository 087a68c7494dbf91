// Small networks of random weights as ONNX files, with inputs and the logits that the toolkit
// computes for them:
//
//   onnx_cases DIR      writes DIR/NAME.onnx and
//   DIR/NAME.NUMBER.{ids,points,pixels,lengths,logits}.npy
//
// DIR/relu holds a network of relu-fit with points on it. runtime_test.py runs the files in ONNX
// Runtime.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iostream>

#include "attention/operators/loop_heads.h"
#include "base/files.h"
#include "base/random.h"
#include "infer/encoder.h"
#include "io/npy.h"
#include "onnx/network/network_graph.h"
#include "region/network/export_onnx.h"
#include "support/varied_networks.h"

namespace asap::test {
namespace {

using attention::CompiledHead;
using attention::CompiledMode;
using attention::DualFeatures;
using Heads = std::vector<std::vector<CompiledHead>>;

constexpr double kWideEpsilon = 0.005;  // .5 elsewhere: scores are 100 times as large

base::RandomStream random_stream(std::uint32_t id) { return {57, base::RandomPurpose::test, id}; }

/// The same features in every layer.
Heads map_heads(const infer::Encoder& encoder, const DualFeatures& features, CompiledMode mode) {
  base::RandomStream random = random_stream(2);
  Heads heads;
  for (const std::vector<float>& scales : encoder.score_scales()) {
    heads.emplace_back();
    for (const float scale : scales) {
      heads.back().push_back(random_head(features, mode, encoder.config().head_width(), random));
      heads.back().back().score_scale = scale;
    }
  }
  return heads;
}

/// Examples of these lengths, padded to the longest; of images, as many.
struct Batch {
  std::int64_t tokens = 0;
  std::vector<std::int32_t> ids, live;
  tensor::Tensor<std::uint8_t> pixels;
  tensor::Tensor<float> values;
  config::ModelInput<float> input;
};

Batch random_batch(const config::ModelConfig& model, const std::vector<std::int32_t>& lengths) {
  base::RandomStream random = random_stream(3);
  Batch batch;
  const auto examples = std::ssize(lengths);
  if (model.kind == config::ModelKind::vit) {
    batch.pixels = tensor::Tensor<std::uint8_t>(
        {examples, model.channels, model.image_height, model.image_width});
    batch.values = tensor::Tensor<float>({examples, model.image_size()});
    for (std::int64_t i = 0; i < batch.values.size(); ++i) {
      batch.pixels[i] = static_cast<std::uint8_t>(random.below(256));
      batch.values[i] =
          static_cast<float>((batch.pixels[i] / 255.0 - kPixelMean) / kPixelDeviation);
    }
    batch.input = config::ModelInput<float>::of_images(batch.values.rows());
    return batch;
  }
  batch.live = lengths;
  batch.tokens = *std::ranges::max_element(lengths);
  batch.input = {.examples = examples, .tokens = batch.tokens};
  if (model.kind == config::ModelKind::text) {
    for (std::int64_t i = 0; i < examples * batch.tokens; ++i)
      batch.ids.push_back(static_cast<std::int32_t>(random.below(11)));
    batch.input.ids = batch.ids;
  } else {
    batch.values = random_floats({examples * batch.tokens, model.point_width}, 0.5f, random);
    batch.input.values = batch.values.rows();
  }
  batch.input.live = batch.live;
  return batch;
}

/// The network's logits, and a 1 or 0 for each row: whether it counts.
tensor::Tensor<float> logits_of(const infer::Encoder& encoder,
                                const attention::AttentionOperator& attention, const Batch& batch) {
  tensor::Tensor<float> logits({encoder.logit_rows(batch.input), encoder.config().classes});
  tensor::Arena arena;
  encoder.forward(batch.input, attention, logits.rows(), arena);
  if (encoder.config().labels_tokens())  // what padding gets is undefined
    for (std::int64_t row = 0; row < logits.rows().rows; ++row)
      if (row % batch.tokens >= batch.live[static_cast<std::size_t>(row / batch.tokens)])
        std::ranges::fill(logits.rows().row(row), NAN);
  return logits;
}

class CaseWriter {
 public:
  explicit CaseWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  using MakeHeads = std::function<Heads(const infer::Encoder&)>;

  /// A network with heads that both sides compute.
  void write(const std::string& name, const config::ModelConfig& model, const MakeHeads& make,
             onnx::LoopForm form = onnx::LoopForm::scaling) const {
    const io::TensorFile weights = varied_weights(model, random_stream(1));
    const infer::Encoder encoder(model, weights, "random");
    const Heads heads = make(encoder);
    const attention::CompiledOperator attention(heads);
    base::write_file_atomically(
        folder_ / (name + ".onnx"),
        onnx::export_network({model, weights, heads, form, {kPixelMean, kPixelDeviation}},
                             {.producer = "onnx_cases", .name = name}));
    const std::vector<std::vector<std::int32_t>> batches = {
        {7}, {1, 5, 12}, {20, 2, 9, 16, 11}, {3, 0, 1}};
    for (std::size_t number = 0; number < batches.size(); ++number) {
      std::vector<std::int32_t> lengths = batches[number];
      if (model.has_class_token())  // which takes a position, too
        for (std::int32_t& length : lengths) length = std::min(length, 19);
      write_batch(folder_ / (name + "." + std::to_string(number)), encoder, attention,
                  random_batch(model, lengths));
    }
  }

  /// With the network's own loop.
  void write_teacher(const std::string& name, const config::ModelConfig& model,
                     onnx::LoopForm form = onnx::LoopForm::scaling) const {
    write(name, model, loop(model.attention.iterations), form);
  }

  static MakeHeads loop(int iterations) {
    return [=](const infer::Encoder& encoder) {
      return attention::loop_heads(iterations, encoder.score_scales(), encoder.slacks());
    };
  }
  static MakeHeads map(const DualFeatures& features, CompiledMode mode = CompiledMode::row_dual) {
    return [=](const infer::Encoder& encoder) { return map_heads(encoder, features, mode); };
  }

 private:
  template <class T, class Values>
  static void write_array(const std::string& path, const tensor::Shape& shape,
                          const Values& values) {
    tensor::Tensor<T> out(shape);
    std::ranges::copy(values, out.data());
    io::write_npy(path, io::StoredTensor::from(out));
  }

  static void write_batch(const std::string& stem, const infer::Encoder& encoder,
                          const attention::AttentionOperator& attention, const Batch& batch) {
    const config::ModelConfig& model = encoder.config();
    const std::int64_t examples = batch.input.examples, tokens = batch.tokens;
    if (model.kind == config::ModelKind::vit)
      io::write_npy(stem + ".pixels.npy", io::StoredTensor::from(batch.pixels));
    else
      write_array<std::int64_t>(stem + ".lengths.npy", {examples}, batch.live);
    if (model.kind == config::ModelKind::text)
      write_array<std::int64_t>(stem + ".ids.npy", {examples, tokens}, batch.ids);
    if (model.kind == config::ModelKind::set)
      write_array<float>(stem + ".points.npy", {examples, tokens, model.point_width},
                         batch.values.flat());
    const tensor::Tensor<float> logits = logits_of(encoder, attention, batch);
    const tensor::Shape shape =
        model.labels_tokens() ? tensor::Shape{examples, tokens, model.classes} : logits.shape();
    write_array<float>(stem + ".logits.npy", shape, logits.flat());
  }

  std::filesystem::path folder_;
};

void write_teachers(const CaseWriter& writer) {
  for (const auto& [kind, word] :
       {std::pair{config::ModelKind::vit, "images"}, std::pair{config::ModelKind::text, "texts"},
        std::pair{config::ModelKind::set, "sets"}}) {
    config::ModelConfig model = small_model(kind);
    writer.write_teacher(std::string(word) + "_teacher", model);
    writer.write_teacher(std::string(word) + "_teacher_log", model, onnx::LoopForm::log_domain);
    writer.write(std::string(word) + "_softmax", model, CaseWriter::loop(0));
    writer.write(std::string(word) + "_one_iteration", model, CaseWriter::loop(1));
    model.attention.slack = config::SlackKind::learned;
    model.attention.slack_start = 0.5;
    writer.write_teacher(std::string(word) + "_slack", model);
  }
}

void write_models(const CaseWriter& writer) {
  config::ModelConfig images = small_model(config::ModelKind::vit);
  images.pooling = config::Pooling::class_token;
  images.feed_forward.kind = config::FeedForwardKind::region;
  writer.write_teacher("images_class_token_region", images);
  images.attention.learn_epsilon = true;
  images.feed_forward = {.activation = config::Activation::relu};
  images.positions = config::Positions::none;
  writer.write_teacher("images_relu_no_positions", images);
  config::ModelConfig texts = small_model(config::ModelKind::text);
  texts.pooling = config::Pooling::class_token;
  writer.write_teacher("texts_class_token", texts);
  texts.pooling = config::Pooling::none;
  writer.write_teacher("texts_labelled_tokens", texts);
  texts.pooling = config::Pooling::first_token;  // as BERT
  texts.pooler = true;
  texts.norm = config::NormPosition::post;
  texts.norm_epsilon = 0.01;
  texts.embedding_norm = true;
  texts.separator = 4;
  texts.feed_forward.activation = config::Activation::gelu_erf;
  writer.write_teacher("texts_as_bert", texts);
  config::ModelConfig sets = small_model(config::ModelKind::set);
  sets.point_frequencies = 2;
  sets.pooling = config::Pooling::none;
  writer.write_teacher("sets_frequencies_labelled_tokens", sets);
}

DualFeatures lse_and_iteration() {
  DualFeatures features = DualFeatures::none();
  features.log_sum_exp = true;
  features.corrections = 1;
  return features;
}

/// A map for each kind of feature, and f0.
void write_every_feature(const CaseWriter& writer, const std::string& stem,
                         const config::ModelConfig& model) {
  DualFeatures lse0 = DualFeatures::none(), pot = lse0, landmarks = lse0, relaxed = lse0;
  relaxed.start = true;
  relaxed.corrections = 3;
  lse0.first_dual = true;
  lse0.corrections = 3;
  pot.potential = true;
  landmarks.landmarks = 4;
  writer.write(stem + "_lse_it", model, CaseWriter::map(lse_and_iteration()));
  writer.write(stem + "_lse0_it", model, CaseWriter::map(lse0));
  writer.write(stem + "_start_it", model, CaseWriter::map(relaxed));
  writer.write(stem + "_pot", model, CaseWriter::map(pot));
  writer.write(stem + "_landmarks", model, CaseWriter::map(landmarks));
  writer.write(stem + "_key_bias", model,
               CaseWriter::map({.log_sum_exp = false, .landmarks = 3}, CompiledMode::key_bias));
  writer.write(stem + "_f0", model, CaseWriter::map(DualFeatures::none()));
}

void write_maps(const CaseWriter& writer) {
  for (const auto& [kind, word] :
       {std::pair{config::ModelKind::vit, "images"}, std::pair{config::ModelKind::text, "texts"}}) {
    const config::ModelConfig model = small_model(kind);
    writer.write(std::string(word) + "_all_features", model,
                 CaseWriter::map({.first_dual = true, .landmarks = 3, .corrections = 2}));
    write_every_feature(writer, word, model);
  }
  writer.write("texts_map_then_loop", small_model(config::ModelKind::text),
               [&](const infer::Encoder& encoder) {
                 Heads heads = map_heads(encoder, lse_and_iteration(), CompiledMode::row_dual);
                 heads[1] = attention::loop_heads(3, encoder.score_scales(), {})[1];
                 return heads;
               });
}

/// Scores that range over thousands: half of the tokens prefer the same keys by far more than
/// floats hold as exponentials. One layer, since rounded scores of that size grow from layer to
/// layer.
void write_wide_scores(const CaseWriter& writer) {
  DualFeatures both = DualFeatures::none();
  both.log_sum_exp = both.first_dual = true;
  for (const auto& [kind, word] : {std::pair{config::ModelKind::vit, "wide_images"},
                                   std::pair{config::ModelKind::text, "wide_texts"}}) {
    config::ModelConfig model = small_model(kind);
    model.attention.epsilon = kWideEpsilon;
    model.layers = 1;
    const std::string stem = word;
    write_every_feature(writer, stem, model);
    writer.write(stem + "_lse_lse0", model, CaseWriter::map(both));
    writer.write(stem + "_loop", model, CaseWriter::loop(100));
    model.attention.iterations = 60;
    model.attention.slack = config::SlackKind::learned;
    model.attention.slack_start = 0.5;
    writer.write_teacher(stem + "_slack", model);
  }
}

/// A network of one input as relu-fit exports it, DIR/relu/curve.onnx, in float64.
void write_relu_network(const std::filesystem::path& folder) {
  base::RandomStream random = random_stream(4);
  region::ReluNetwork network;
  for (const auto& [outputs, inputs] : {std::pair{5, 1}, std::pair{4, 5}, std::pair{1, 4}}) {
    region::DenseLayer layer(outputs, inputs);
    for (double& weight : layer.weight.flat()) weight = random.normal();
    for (double& bias : layer.bias) bias = random.normal();
    network.layers.push_back(std::move(layer));
  }
  std::filesystem::create_directories(folder);
  base::write_file_atomically(folder / "curve.onnx", region::export_onnx({network, {}}, "curve"));
  tensor::Tensor<double> x({50, 1}), y({50, 1});
  for (std::int64_t i = 0; i < x.size(); ++i) {
    x[i] = 0.1 * static_cast<double>(i - 25);
    y[i] = network(x[i]);
  }
  io::write_npy(folder / "x.npy", io::StoredTensor::from(x));
  io::write_npy(folder / "y.npy", io::StoredTensor::from(y));
}

}  // namespace
}  // namespace asap::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: onnx_cases DIR\n";
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  const asap::test::CaseWriter writer(argv[1]);
  asap::test::write_teachers(writer);
  asap::test::write_models(writer);
  asap::test::write_maps(writer);
  asap::test::write_wide_scores(writer);
  asap::test::write_relu_network(std::filesystem::path(argv[1]) / "relu");
}
