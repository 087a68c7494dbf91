// What several ranks compute together is, to the last bit, what each of them computes alone. Runs
// under mpirun.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "compile/calibration.h"
#include "data/batch.h"
#include "distributed/job/launched_job.h"
#include "evaluate/compare/comparison.h"
#include "nn/transformer.h"
#include "predict/predictor.h"
#include "support/padded_models.h"
#include "support/random_encoder.h"

using namespace asap;
using namespace asap::test;
using distributed::joined_job;
using distributed::Workers;

namespace {

bool same(const tensor::Tensor<float>& one, const tensor::Tensor<float>& other) {
  return one.shape() == other.shape() && std::ranges::equal(one.flat(), other.flat());
}

data::Dataset test_images() { return data::draw_shapes_dataset(small_data(), data::Split::test); }

}  // namespace

TEST_CASE("calibration captures the same queries, keys and values") {
  const infer::Encoder encoder = random_encoder(4);
  const data::Dataset images = test_images();
  for (const std::int64_t count : {1, 16, 37}) {
    const compile::Activations alone = compile::capture_activations(encoder, images, count, 1, 1);
    const compile::Activations shared =
        compile::capture_activations(encoder, images, count, 1, Workers(2, joined_job()));
    REQUIRE(alone.layers.size() == shared.layers.size());
    for (std::size_t layer = 0; layer < alone.layers.size(); ++layer) {
      CHECK(same(alone.layers[layer].queries, shared.layers[layer].queries));
      CHECK(same(alone.layers[layer].keys, shared.layers[layer].keys));
      CHECK(same(alone.layers[layer].values, shared.layers[layer].values));
    }
  }
}

TEST_CASE("a comparison gives the same predictions, plan errors, guards and cascades") {
  const infer::Encoder encoder = random_encoder(4);
  const data::Dataset images = test_images();
  evaluate::CompiledHeads heads = evaluate::zero_dual_heads(encoder);
  for (auto& layer : heads)
    for (attention::CompiledHead& head : layer) {
      head.column_errors = {
          .sorted = {0, 1e-3F, 1e3F}, .bounds = {0, 1e-3F, 1e3F}, .teacher = 1e-3F};
      head.teacher_iterations = 40;
    }
  evaluate::CascadeCalibration calibration{images, {}, 1};
  for (std::int64_t i = 0; i < images.size(); i += 2) calibration.examples.push_back(i);
  const std::vector<std::string> names = {"softmax", "compiled", "guarded", "compiled:cascade",
                                          "guarded:cascade"};
  const auto compared = [&](const Workers& workers) {
    evaluate::ComparisonSettings settings{evaluate::parse_methods(names, 2), workers, 10};
    settings.cascade = &calibration;
    for (evaluate::Method& method : settings.methods) method.guard_quantile = 0.5;
    return compare_methods(encoder, &heads, images, settings);
  };
  const evaluate::Comparison alone = compared(1), shared = compared({1, joined_job()});
  CHECK(shared.threads == joined_job().size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const evaluate::MethodResult &one = alone.methods[i], &other = shared.methods[i];
    CAPTURE(one.name);
    CHECK(one.predictions == other.predictions);
    CHECK(one.plan_l1 == other.plan_l1);
    CHECK(one.column_error == other.column_error);
    CHECK(other.examples_per_second > 0);
  }
  REQUIRE(shared.methods[2].guard);
  CHECK(alone.methods[2].guard->heads == shared.methods[2].guard->heads);
  CHECK(alone.methods[2].guard->iterated == shared.methods[2].guard->iterated);
  for (const std::size_t i : {3, 4}) {
    REQUIRE(shared.methods[i].cascade);
    CHECK(alone.methods[i].cascade->threshold.margin ==
          shared.methods[i].cascade->threshold.margin);
    CHECK(alone.methods[i].cascade->rerun_share == shared.methods[i].cascade->rerun_share);
  }
}

TEST_CASE("predictions have the same logits, embeddings, certificates and plans") {
  const data::Dataset images = test_images();
  const infer::Encoder network = random_encoder(4);
  config::TrainConfig trained;
  trained.model = network.config();
  const bundle::TrainedModel model{"drawn",
                                   trained,
                                   {network.config(), random_weights(network.config()), "random"},
                                   images.class_names,
                                   nullptr,
                                   std::nullopt};
  predict::Examples examples;
  examples.dataset = images;
  examples.labels = images.labels;
  for (std::int64_t i = 0; i < images.size(); ++i) examples.ids.push_back(std::to_string(i));
  predict::PredictorConfig config{
      .batch = 3, .embeddings = true, .certificate = true, .plans = true};
  const predict::Answers alone = predict::Predictor(model, {}, config).answer(examples);
  config.ranks = &joined_job();
  const predict::Answers shared = predict::Predictor(model, {}, config).answer(examples);
  CHECK(same(alone.logits, shared.logits));
  CHECK(same(alone.embeddings, shared.embeddings));
  REQUIRE(shared.plans.size() == alone.plans.size());
  for (std::size_t i = 0; i < alone.plans.size(); ++i) {
    REQUIRE(same(alone.plans[i], shared.plans[i]));
    REQUIRE(alone.certificates[i].mean == shared.certificates[i].mean);
    REQUIRE(alone.certificates[i].unusual_heads == shared.certificates[i].unusual_heads);
  }
}

int main(int argc, char** argv) {
  distributed::Ranks& ranks = distributed::join_job();
  ranks.set_time_limit(60);
  doctest::Context context(argc, argv);
  const int failures = context.run();
  ranks.end(false, 0);
  return failures;
}
