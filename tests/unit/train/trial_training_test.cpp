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

}  // namespace

TEST_CASE("an estimate knows steps and parameters, and a step's memory to the byte") {
  const Fixture f;
  const TrainingFootprint footprint = training_footprint(f.config, f.train_data, 1);
  const TrainingEstimate estimate = estimate_training(f.config, f.train_data, f.test_data, 1);
  const TemporaryFolder folder;
  const TrainingResult result =
      train(f.config, RunFolder(folder.path() / "run"), f.train_data, f.test_data, {});
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
