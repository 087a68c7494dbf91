#include "predict/predictor.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "base/random.h"
#include "nn/transformer.h"
#include "support/expect_error.h"
#include "support/padded_models.h"
#include "support/random_encoder.h"

using namespace asap::base;
using namespace asap::bundle;
using namespace asap::config;
using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::predict;
using namespace asap::test;

namespace {

TrainedModel model_of(const ModelConfig& network, const Dataset& dataset) {
  TrainConfig config;
  config.model = network;
  return {"drawn", config,      {network, random_weights(network), "random"}, dataset.class_names,
          nullptr, std::nullopt};
}

Examples examples_of(const Dataset& dataset) {
  Examples examples;
  examples.dataset = dataset;
  std::ranges::fill(examples.dataset.labels, 0);
  examples.labels = dataset.labels;
  for (std::int64_t i = 0; i < dataset.size(); ++i) examples.ids.push_back(std::to_string(i));
  return examples;
}

/// The same examples in another order.
Examples shuffled(const Examples& examples, const std::vector<std::int64_t>& order) {
  Examples out;
  out.dataset = examples.dataset;
  out.dataset.pixels.clear();
  out.dataset.ids.clear();
  out.dataset.points.clear();
  out.dataset.labels.clear();
  out.dataset.offsets.clear();
  if (!examples.dataset.offsets.empty()) out.dataset.offsets = {0};
  for (const std::int64_t i : order) out.append(examples, i);
  return out;
}

/// Answers in other batches, orders and threads have the same bits.
void check_same_answers(const TrainedModel& model, const Examples& examples, const Method& method) {
  PredictorConfig config{1, 1, true, true, false};
  const Answers alone = Predictor(model, method, config).answer(examples);
  std::vector<std::int64_t> order(static_cast<std::size_t>(examples.size()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::reverse(order);
  std::swap(order[0], order[order.size() / 2]);
  for (const auto& [batch, threads] : {std::pair(3, 1), std::pair(16, 2)}) {
    config.batch = batch;
    config.threads = threads;
    const Answers together = Predictor(model, method, config).answer(shuffled(examples, order));
    for (std::size_t place = 0; place < order.size(); ++place) {
      const auto at = static_cast<std::int64_t>(place);
      CHECK(std::ranges::equal(together.logits.rows().row(at),
                               alone.logits.rows().row(order[place])));
      CHECK(std::ranges::equal(together.embeddings.rows().row(at),
                               alone.embeddings.rows().row(order[place])));
      CHECK(together.certificates[place].mean ==
            alone.certificates[static_cast<std::size_t>(order[place])].mean);
    }
  }
}

}  // namespace

TEST_CASE("an answer is the same to the last bit in any batch, order, padding and thread") {
  for (const ModelConfig& network : all_models()) {
    if (network.labels_tokens()) continue;
    CAPTURE(describe_model(network));
    const Dataset dataset = small_sequences(network.kind, {3, 70, 1, 33, 12, 70, 2, 19}, false);
    ModelConfig longer = network;
    longer.max_tokens = 80;
    const TrainedModel model = model_of(longer, dataset);
    std::vector<std::string> names = {"teacher"};
    if (network.attention.kind == AttentionKind::sinkhorn)
      names = {"teacher", "softmax", "sinkhorn:3", "f0", "espformer"};
    for (const Method& method : parse_methods(names, longer.layers)) {
      CAPTURE(method.name());
      check_same_answers(model, examples_of(dataset), method);
    }
  }
}

TEST_CASE("images are answered alike in any batch, by perceptrons and with a class token") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  ModelConfig vit;
  vit.image_height = vit.image_width = 8;
  vit.channels = 1;
  vit.classes = 4;
  vit.patch = 2;
  vit.width = 8;
  vit.heads = 2;
  vit.layers = 2;
  ModelConfig with_token = vit, perceptron = vit;
  with_token.pooling = Pooling::class_token;
  for (const ModelConfig& network : {vit, with_token})
    check_same_answers(model_of(network, dataset), examples_of(dataset), Method{});
  perceptron.kind = ModelKind::mlp;
  const TrainedModel model = model_of(perceptron, dataset);
  PredictorConfig config{2, 3, true, false, false};
  const Answers answers =
      Predictor(model, method_of("", model), config).answer(examples_of(dataset));
  CHECK(answers.embeddings.shape() == asap::tensor::Shape{40, 8});
  expect_error<UsageError>([&] { method_of("compiled", model); }, {"no attention"});
  config.certificate = true;
  expect_error<UsageError>([&] { Predictor(model, Method{}, config); }, {"no attention"});
}

TEST_CASE("the logits are the last linear layer of the embeddings") {
  const Dataset dataset = small_sequences(ModelKind::text, {3, 7, 1, 5});
  const ModelConfig network = small_sequence_model(dataset);
  const TrainedModel model = model_of(network, dataset);
  const Answers answers =
      Predictor(model, Method{}, {1, 2, true, false, false}).answer(examples_of(dataset));
  const asap::io::TensorFile weights = random_weights(network);
  const auto weight = weights.get<float>("head.weight", {2, 8});
  const auto bias = weights.get<float>("head.bias", {2});
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t k = 0; k < 2; ++k) {
      double expected = bias[k];
      for (std::int64_t j = 0; j < 8; ++j)
        expected += double{weight.rows()(k, j)} * answers.embeddings.rows()(i, j);
      CHECK(answers.logits.rows()(i, k) == doctest::Approx(expected).epsilon(1e-5));
    }
}

TEST_CASE("a certificate is the column error of the plans that are kept, without padding") {
  const Dataset dataset = small_sequences(ModelKind::text, {3, 7, 1, 5});
  const TrainedModel model = model_of(small_sequence_model(dataset), dataset);
  const Answers answers =
      Predictor(model, Method{}, {1, 4, false, true, true}).answer(examples_of(dataset));
  for (std::int64_t example = 0; example < 4; ++example) {
    const asap::tensor::Tensor<float>& plans = answers.plans[static_cast<std::size_t>(example)];
    const std::int64_t n = dataset.tokens(example);
    REQUIRE(plans.shape() == asap::tensor::Shape{2, 2, n, n});
    double mean = 0, largest = 0;
    for (std::int64_t head = 0; head < 4; ++head) {
      double error = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += plans[(head * n + i) * n + j];
        error += std::abs(sum - 1) / static_cast<double>(n);
      }
      mean += error / 4;
      largest = std::max(largest, error);
    }
    const Certificate& certificate = answers.certificates[static_cast<std::size_t>(example)];
    CHECK(certificate.mean == doctest::Approx(mean).epsilon(1e-5));
    CHECK(certificate.largest == doctest::Approx(largest).epsilon(1e-5));
    CHECK_FALSE(certificate.unusual_heads);
  }
}

TEST_CASE("a cascade answers uncertain examples as the teacher does, in any batch") {
  const Dataset dataset = small_sequences(ModelKind::text, {3, 7, 1, 5, 9, 12});
  const TrainedModel model = model_of(small_sequence_model(dataset), dataset);
  const Examples examples = examples_of(dataset);
  Method method{MethodKind::sinkhorn, 1};
  const Answers first = Predictor(model, method, {1, 1}).answer(examples);
  const Answers teacher = Predictor(model, Method{}, {1, 1}).answer(examples);
  std::vector<float> margins;
  for (std::int64_t i = 0; i < 6; ++i)
    margins.push_back(std::abs(first.logits.rows()(i, 0) - first.logits.rows()(i, 1)));
  std::vector<float> sorted = margins;
  std::ranges::sort(sorted);
  method.cascade = true;
  const CascadeThreshold threshold{.margin = sorted[3]};
  for (const int batch : {1, 4}) {
    const Answers answers = Predictor(model, method, {2, batch}, threshold).answer(examples);
    CHECK(answers.reruns == 3);
    for (std::int64_t i = 0; i < 6; ++i)
      CHECK(std::ranges::equal(
          answers.logits.rows().row(i),
          (margins[static_cast<std::size_t>(i)] < threshold.margin ? teacher : first)
              .logits.rows()
              .row(i)));
  }
}

TEST_CASE("a cascade behind a guard runs nothing again that the guard left to the teacher") {
  const Dataset dataset = small_sequences(ModelKind::text, {3, 7, 1, 5, 9, 12});
  for (const float bound : {-1.0F, 1e6F}) {
    TrainedModel model = model_of(small_sequence_model(dataset), dataset);
    model.compiled.emplace();
    model.compiled->heads = zero_dual_heads(model.encoder);
    for (auto& layer : model.compiled->heads)
      for (auto& head : layer) {
        head.column_errors = {.sorted = {bound}, .bounds = {bound}};
        head.teacher_iterations = model.encoder.config().attention.iterations;
      }
    Method method{MethodKind::guarded};
    method.cascade = true;
    for (const bool certificate : {false, true}) {
      const PredictorConfig config{.threads = 2, .batch = 4, .certificate = certificate};
      const Answers answers = Predictor(model, method, config, CascadeThreshold{.margin = 1e6F})
                                  .answer(examples_of(dataset));
      CHECK(answers.reruns == (bound < 0 ? 0 : 6));
    }
  }
}

TEST_CASE("a method is named in the user's words") {
  const Dataset dataset = small_sequences(ModelKind::text, {3, 7});
  const TrainedModel model = model_of(small_sequence_model(dataset), dataset);
  CHECK(method_of("", model).name() == "teacher");
  CHECK(method_of("sinkhorn:2@1", model).name() == "sinkhorn:2@1");
  expect_error<UsageError>([&] { method_of("compiled", model); }, {"`method`", "`compiled` DIR"});
  expect_error<UsageError>([&] { method_of("techer", model); }, {"`method`", "'teacher'"});
  expect_error<UsageError>([&] { method_of("f0@each", model); }, {"not one way"});
  expect_error<UsageError>([&] { method_of("sinkhorn:equal", model); }, {"not one way"});
}

TEST_CASE("weights that are not finite are a numerical error") {
  const Dataset dataset = small_sequences(ModelKind::text, {3, 7});
  const ModelConfig network = small_sequence_model(dataset);
  asap::io::TensorFile weights = random_weights(network);
  auto bias = weights.get<float>("head.bias", {2});
  bias[0] = NAN;
  weights.put("head.bias", bias);
  TrainConfig config;
  config.model = network;
  const TrainedModel model{"m", config, {network, weights, ""}, {"a", "b"}, nullptr, std::nullopt};
  expect_error<NumericalError>([&] { Predictor(model, Method{}, {}).answer(examples_of(dataset)); },
                               {"not finite"});
}
