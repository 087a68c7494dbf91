#include "train/trial_training.h"

#include <doctest/doctest.h>

#include "base/timing.h"
#include "data/dataset.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "train/trainer.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::train;
using namespace asap::test;

namespace {

struct Fixture {
  TrainConfig config;
  Dataset train_data, test_data;

  Fixture() {
    config.data.kind = DataKind::shapes;
    config.data.classes = 6;
    config.data.shapes.examples = 96;
    config.data.shapes.test_examples = 32;
    config.model.width = 16;
    config.model.layers = 2;
    config.model.dropout = 0.2;
    config.train.batch = 24;
    config.train.epochs = 3;
    train_data = load_dataset(config.data, Split::train);
    test_data = load_dataset(config.data, Split::test);
    config.model = fit_model_to_data(config.model, train_data, "test");
  }
};

/// Training on texts in batches of two shards.
TrainConfig text_training() {
  TrainConfig config;
  config.model.kind = ModelKind::text;
  config.model.width = 16;
  config.model.layers = 1;
  config.train.batch = 8;
  config.train.shard = 4;
  config.train.epochs = 3;
  return config;
}

/// 40 texts of up to 8 tokens, and a last one of `longest` tokens.
Dataset texts_of_lengths(std::int64_t longest) {
  Dataset data;
  data.name = "texts";
  data.kind = ExampleKind::tokens;
  data.vocabulary = 5;
  data.max_tokens = 200;
  data.class_names = {"a", "b"};
  data.offsets = {0};
  for (std::int64_t i = 0; i < 41; ++i) {
    const std::int64_t length = i == 40 ? longest : 1 + i % 8;
    for (std::int64_t token = 0; token < length; ++token)
      data.ids.push_back(static_cast<std::int32_t>((i + token) % 5));
    data.offsets.push_back(data.offsets.back() + length);
    data.labels.push_back(static_cast<std::int32_t>(i % 2));
  }
  data.fingerprint = dataset_fingerprint(data);
  return data;
}

}  // namespace

TEST_CASE("an estimate knows steps and parameters, and a step's memory to the byte") {
  const Fixture f;
  const TrainingFootprint footprint = training_footprint(f.config, f.train_data, 1);
  const TrainingEstimate estimate = estimate_training(f.config, f.train_data, f.test_data, 1);
  const TemporaryFolder folder;
  const TrainingResult result =
      asap::train::train(f.config, RunFolder(folder.path() / "run"), f.train_data, f.test_data, {});
  CHECK(estimate.steps == result.total_steps);
  CHECK(estimate.steps == 12);
  CHECK(estimate.measured_steps == 10);
  CHECK(footprint.parameters == result.parameters);
  CHECK(footprint.step_bytes == result.step_peak_bytes);
  CHECK(estimate.step_peak_bytes == result.step_peak_bytes);
  CHECK(footprint.state_bytes == result.parameters * 4 * (3 + 3));  // a batch of 24 in shards of 8
  CHECK(estimate.seconds_per_step > 0);
  CHECK(estimate.seconds() >= estimate.training_seconds);
  CHECK(estimate.peak_bytes <= peak_memory_bytes());
}

TEST_CASE("the memory forecast is of the longest examples, wherever they lie") {
  // 40 expressions of 8 tokens or fewer and one of 200 that the first batches do not hold.
  const auto footprint_of = [](std::int64_t longest, int threads) {
    TrainConfig config = text_training();
    Dataset data = texts_of_lengths(longest);
    config.model = fit_model_to_data(config.model, data, "test");
    return training_footprint(config, data, threads).step_bytes;
  };
  CHECK(footprint_of(200, 1) > 5 * footprint_of(8, 1));
  CHECK(footprint_of(200, 2) == 2 * footprint_of(200, 1));
  CHECK(footprint_of(200, 9) == 2 * footprint_of(200, 1));  // a batch has two shards

  TrainConfig config = text_training();
  const Dataset data = texts_of_lengths(200);
  config.model = fit_model_to_data(config.model, data, "test");
  const TrainingEstimate estimate = estimate_training(config, data, data, 1);
  const TemporaryFolder folder;
  const TrainingResult result =
      asap::train::train(config, RunFolder(folder.path() / "run"), data, data, {});
  const std::int64_t forecast = footprint_of(200, 1);
  CHECK(estimate.step_peak_bytes >= forecast);
  CHECK(result.step_peak_bytes <= 1.1 * static_cast<double>(forecast));
  CHECK(result.step_peak_bytes >= 0.7 * static_cast<double>(forecast));
}

TEST_CASE("a model memorises one batch if it can") {
  Fixture f;
  f.config.train.learning_rate = 3e-3;
  std::int64_t seen = 0;
  const OverfitResult result = overfit_one_batch(
      f.config, f.train_data, 1, 500, [&](const OverfitResult& now) { seen = now.steps; });
  CHECK(result.learned());
  CHECK(result.loss < result.first_loss / 2);
  CHECK(seen == result.steps);
  CHECK(result.steps < 500);

  f.config.train.learning_rate = 1e-9;
  const OverfitResult none = overfit_one_batch(f.config, f.train_data, 1, 5);
  CHECK(none.steps == 5);
  CHECK_FALSE(none.learned());
}

TEST_CASE("a trial that diverges says where") {
  Fixture f;
  f.config.train.learning_rate = 10;
  f.config.train.clip_norm = 0;
  f.config.model.attention.epsilon = 1e-6;
  f.train_data.pixel_deviation = 1e-60;
  expect_error<NumericalError>([&] { overfit_one_batch(f.config, f.train_data, 1, 50); },
                               {"diverged at step", "learning_rate"});
}

TEST_CASE("data that do not fill a batch are refused") {
  Fixture f;
  f.config.train.batch = 97;
  expect_error<UsageError>([&] { training_footprint(f.config, f.train_data, 1); },
                           {"lower train.batch"});
  expect_error<UsageError>([&] { overfit_one_batch(f.config, f.train_data, 1, 5); },
                           {"lower train.batch"});
}
