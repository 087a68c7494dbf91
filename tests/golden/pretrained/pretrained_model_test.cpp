#include "pretrained/pretrained_model.h"

#include <doctest/doctest.h>

#include "infer/encoder.h"
#include "nn/transformer.h"

using namespace asap::config;
using namespace asap::io;
using namespace asap::pretrained;
using namespace asap::tensor;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(ASAP_GOLDEN_DATA) / "bert_tiny";
const std::filesystem::path kImageFolder = std::filesystem::path(ASAP_GOLDEN_DATA) / "vit_tiny";

/// The network of the file with a classifier that passes embeddings on.
struct PassingNetwork {
  ModelConfig config;
  TensorFile weights;

  PassingNetwork(const PretrainedModel& model, Pooling pooling, bool pooler, int iterations)
      : config(model.model), weights(model.weights) {
    config.pooling = pooling;
    config.pooler = pooler;
    config.classes = config.width;
    if (iterations > 0) {
      config.attention.kind = AttentionKind::sinkhorn;
      config.attention.iterations = iterations;
    }
    Tensor<float> identity({config.width, config.width}), zero({config.width});
    for (std::int64_t i = 0; i < config.width; ++i) identity.rows()(i, i) = 1;
    weights.put("head.weight", identity);
    weights.put("head.bias", zero);
  }

  Tensor<double> without_tape(const ModelInput<float>& input) const {
    const asap::infer::Encoder encoder(config, weights, "");
    Tensor<float> logits({1, config.classes});
    Arena arena;
    encoder.forward(input, *encoder.teacher(), logits.rows(), arena);
    Tensor<double> out(logits.shape());
    std::ranges::copy(logits.flat(), out.flat().begin());
    return out;
  }

  Tensor<double> on_tape(const ModelInput<double>& input) const {
    asap::nn::Transformer<double> network(config, 1);
    for (const auto& entry : network.parameters().entries())
      std::ranges::copy(weights.at(entry.name).to<double>().flat(),
                        network.parameters().flat().begin() + entry.offset);
    asap::autodiff::Tape<double> tape;
    tape.bind(network.parameters(), {});
    asap::attention::AttentionEvidence evidence;
    asap::nn::PassContext<double> pass{tape, evidence};
    const TensorView<const double> value = network.forward(pass, input).value();
    Tensor<double> out({1, config.classes});
    std::ranges::copy(value.flat(), out.flat().begin());
    return out;
  }
};

void check_near(const Tensor<double>& found, const Json& expected, double tolerance) {
  for (std::int64_t i = 0; i < found.size(); ++i)
    CHECK(std::abs(found[i] - expected[static_cast<std::size_t>(i)].get<double>()) < tolerance);
}

}  // namespace

TEST_CASE("a pretrained BERT has PyTorch's embeddings, with a tape and without one") {
  const Json golden = read_json(kFolder / "embeddings.json");
  const PretrainedModel model = read_pretrained(kFolder / "model.safetensors");
  const auto codec = read_pretrained_codec(kFolder / "model.safetensors");
  for (const int iterations : {0, 3})
    for (const char* pooling : {"mean", "first", "pooler"}) {
      const std::string key = std::string(iterations > 0 ? "sinkhorn_3." : "softmax.") + pooling;
      CAPTURE(key);
      const bool mean = std::string_view(pooling) == "mean";
      const PassingNetwork network(model, mean ? Pooling::mean : Pooling::first_token,
                                   std::string_view(pooling) == "pooler", iterations);
      for (std::size_t t = 0; t < golden["texts"].size(); ++t) {
        const std::vector<std::int32_t> ids = asap::text::encode_within(
            *codec->tokenizer, golden["texts"][t].get<std::string>(), 24, Truncation::head);
        CHECK(ids == golden["ids"][t].get<std::vector<std::int32_t>>());
        // float32 through two layers, whose norms divide by small deviations
        check_near(network.without_tape({.examples = 1, .tokens = std::ssize(ids), .ids = ids}),
                   golden[key][t], 2e-5);
        // float64; only the sum of positions and token types is rounded to float32
        check_near(network.on_tape({.examples = 1, .tokens = std::ssize(ids), .ids = ids}),
                   golden[key][t], 2e-6);
      }
    }
}

TEST_CASE("the second text of a pair has PyTorch's token type, with a tape and without one") {
  const Json golden = read_json(kFolder / "pairs.json");
  const PretrainedModel model = read_pretrained(kFolder / "model.safetensors");
  const auto codec = read_pretrained_codec(kFolder / "model.safetensors");
  for (const int iterations : {0, 3}) {
    CAPTURE(iterations);
    const PassingNetwork network(model, Pooling::mean, false, iterations);
    for (std::size_t p = 0; p < golden["pairs"].size(); ++p) {
      const Json& pair = golden["pairs"][p];
      const std::vector<std::int32_t> ids = asap::text::encode_within(
          *codec->tokenizer, pair[0].get<std::string>() + " [SEP] " + pair[1].get<std::string>(),
          golden["most"].get<int>(), Truncation::head);
      CHECK(ids == golden["ids"][p].get<std::vector<std::int32_t>>());
      const Json& expected = golden[iterations > 0 ? "sinkhorn_3" : "softmax"][p];
      check_near(network.without_tape({.examples = 1, .tokens = std::ssize(ids), .ids = ids}),
                 expected, 2e-5);  // see above
      check_near(network.on_tape({.examples = 1, .tokens = std::ssize(ids), .ids = ids}), expected,
                 2e-6);
    }
  }
}

TEST_CASE("a pretrained ViT has PyTorch's embeddings, with a tape and without one") {
  const Json golden = read_json(kImageFolder / "embeddings.json");
  const PretrainedModel model = read_pretrained(kImageFolder / "model.safetensors");
  for (const char* pooling : {"class_token", "pooler"}) {
    CAPTURE(pooling);
    const PassingNetwork network(model, Pooling::class_token, std::string_view(pooling) == "pooler",
                                 0);
    for (std::size_t image = 0; image < golden["images"].size(); ++image) {
      const auto bytes = golden["images"][image].get<std::vector<double>>();
      Tensor<float> single({1, 3 * 12 * 12});
      Tensor<double> exact({1, 3 * 12 * 12});
      for (std::int64_t i = 0; i < exact.size(); ++i) {
        exact[i] = (bytes[static_cast<std::size_t>(i)] / 255 - 0.5) / 0.5;
        single[i] = static_cast<float>(exact[i]);
      }
      check_near(network.without_tape({.examples = 1, .values = single.rows()}),
                 golden[pooling][image], 2e-5);
      // float64; only the folded normalisation of pixels is rounded to float32
      check_near(network.on_tape({.examples = 1, .values = exact.rows()}), golden[pooling][image],
                 2e-6);
    }
  }
}
