#include "train/checkpoint.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "support/tiny_training.h"
#include "train/trainer.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::nn;
using namespace asap::optim;
using namespace asap::train;
using namespace asap::test;

namespace {

TrainingProgress after_step(std::int64_t step) {
  TrainingProgress progress;
  progress.step = step;
  return progress;
}

}  // namespace

TEST_CASE("a checkpoint restores weights, moments, counters and the sampler's position") {
  TinyTraining f;
  const TemporaryFolder folder;
  const RunFolder run(folder.path() / "run");
  Transformer<float> model(f.config.model, 1), other(f.config.model, 2);
  AdamW<float> optimizer(model.parameters(), {}), other_optimizer(other.parameters(), {});
  EpochSampler sampler({96, 24, 1}), other_sampler({96, 24, 1});
  sampler.next();
  std::vector<float> gradient(model.parameters().flat().size(), 0.5f);
  optimizer.step(model.parameters(), gradient, 0.01, 1.0);
  save_checkpoint(run, {after_step(7), model.parameters(), optimizer, sampler}, to_json(f.config),
                  "data", 1);

  TrainingState state{{}, other.parameters(), other_optimizer, other_sampler};
  REQUIRE(load_checkpoint(run, state, f.config, "data"));
  CHECK(state.progress.step == 7);
  CHECK(other_optimizer.steps() == 1);
  CHECK(std::ranges::equal(model.parameters().flat(), other.parameters().flat()));
  for (const auto& entry : model.parameters().entries()) {
    const auto begin = static_cast<std::size_t>(entry.offset);
    CHECK(optimizer.second_moment()[begin] == other_optimizer.second_moment()[begin]);
  }
  CHECK(std::ranges::equal(sampler.next(), other_sampler.next()));

  f.config.train.learning_rate = 0.5;
  expect_error<UsageError>([&] { load_checkpoint(run, state, f.config, "data"); },
                           {"train.learning_rate is 0.5"});
  f.config.train.learning_rate = 1e-3;
  expect_error<DataError>([&] { load_checkpoint(run, state, f.config, "other"); },
                          {"training data"});
}

TEST_CASE("only the newest checkpoints are kept") {
  TinyTraining f;
  const TemporaryFolder folder;
  const RunFolder run(folder.path() / "run");
  Transformer<float> model(f.config.model, 1);
  AdamW<float> optimizer(model.parameters(), {});
  EpochSampler sampler({96, 24, 1});
  for (const std::int64_t step : {1, 5, 9, 12})
    save_checkpoint(run, {after_step(step), model.parameters(), optimizer, sampler},
                    to_json(f.config), "data", 2);
  CHECK(run.checkpoint_steps() == std::vector<std::int64_t>{9, 12});
  CHECK(run.newest_checkpoint() == run.checkpoint(12));
}
