#include "train/matcher_trainer.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/keypoint_files.h"
#include "support/temporary_folder.h"
#include "train/descriptor_projection.h"

using namespace asap;
using namespace asap::test;

namespace {

data::KeypointPairs drawn(const DrawnKeypoints& what) {
  return data::KeypointPairs::parse(drawn_keypoints(what), config::DescriptorKind::histogram);
}

config::MatcherTrainConfig small_training(const data::KeypointPairs& pairs) {
  config::MatcherTrainConfig config;
  config.model.matcher.width = 16;
  config.model.matcher.layers = 1;
  config.model.matcher.iterations = 5;
  config.model.matcher = train::complete_matcher(config.model.matcher, pairs);
  config.train.max_steps = 12;
  config.train.batch = 3;
  config.train.keypoints = 14;
  config.train.checkpoint_every = 5;
  return config;
}

std::string newest_weights(const config::RunFolder& run) {
  return base::read_file(run.require_checkpoint() / config::kModelFile) +
         base::read_file(run.require_checkpoint() / config::kOptimizerFile) +
         base::read_file(run.metrics());
}

}  // namespace

TEST_CASE("a matcher trains to the same bytes at any number of threads, resumed or not") {
  const TemporaryFolder folder;
  const data::KeypointPairs pairs = drawn({.pairs = 7});
  const config::MatcherTrainConfig config = small_training(pairs);
  const config::RunFolder whole(folder / "whole"), parts(folder / "parts");
  train::TrainerOptions options;
  const auto result = train::train_matcher(config, whole, pairs, {pairs}, options);
  CHECK(result.finished);
  CHECK(result.tests.size() == 1);
  options.threads = 3;
  options.stop_after = 7;
  CHECK_FALSE(train::train_matcher(config, parts, pairs, {}, options).finished);
  options.stop_after = 0;
  expect_error<base::UsageError>([&] { train::train_matcher(config, parts, pairs, {}, options); },
                                 {"already holds", "resume"});
  options.resume = true;
  CHECK(train::train_matcher(config, parts, pairs, {}, options).finished);
  CHECK(newest_weights(parts) == newest_weights(whole));
  config::MatcherTrainConfig other = config;
  other.train.learning_rate = .5;
  expect_error<base::UsageError>([&] { train::train_matcher(other, parts, pairs, {}, options); },
                                 {"train.learning_rate", "allow"});
}

TEST_CASE("training learns to match what descriptors alone do not tell") {
  // All points of a pair move alike, which positions tell and noisy descriptors do not.
  const TemporaryFolder folder;
  const data::KeypointPairs pairs = drawn({.pairs = 200, .noise = 90});
  const data::KeypointPairs test = drawn({.pairs = 20, .noise = 90, .seed = 2});
  train::TrainerOptions options;
  options.threads = 2;
  for (const auto output : {config::MatcherOutput::dustbin, config::MatcherOutput::dual_softmax}) {
    config::MatcherTrainConfig config = small_training(pairs);
    config.model.matcher.output = output;
    config.train.batch = 4;
    config.train.learning_rate = 5e-3;
    const std::string name = output == config::MatcherOutput::dustbin ? "dustbin" : "dual";
    const auto f1_after = [&](std::int64_t steps) {
      config.train.max_steps = steps;
      const config::RunFolder run(folder / (name + std::to_string(steps)));
      return train::train_matcher(config, run, pairs, {test}, options).tests[0].counts.f1();
    };
    const double untrained = f1_after(1);
    CAPTURE(untrained);
    CHECK(f1_after(300) > untrained + .05);
  }
}

TEST_CASE("the projection starts as principal components with scores of the wanted size") {
  const data::KeypointPairs pairs = drawn({.pairs = 5});
  config::MatcherTrainConfig config = small_training(pairs);
  nn::Matcher<float> model(config.model.matcher, 1);
  train::start_projection(pairs, model);
  // All 16 components are kept, so that products are those of the centred descriptors, scaled.
  const auto& weight = model.parameters().value({0});
  double largest = 0, least = 1e9;
  for (std::int64_t a = 0; a < 16; ++a)
    for (std::int64_t b = 0; b <= a; ++b) {
      double product = 0;
      for (std::int64_t j = 0; j < 16; ++j) product += weight.rows()(a, j) * weight.rows()(b, j);
      if (a == b) {
        largest = std::max(largest, product);
        least = std::min(least, product);
      } else {
        CHECK(std::abs(product) < 1e-3);
      }
    }
  CHECK(largest == doctest::Approx(least).epsilon(1e-3));
}

TEST_CASE("equal descriptors start a projection of zeros, and training stays finite") {
  const TemporaryFolder folder;
  io::TensorFile file = drawn_keypoints({.pairs = 3});
  for (const std::string e : {"0", "1"})
    file.put("descriptors" + e, tensor::Tensor<std::uint8_t>({48, 16}));
  const data::KeypointPairs pairs =
      data::KeypointPairs::parse(file, config::DescriptorKind::histogram);
  const auto result = train::train_matcher(small_training(pairs), config::RunFolder(folder / "run"),
                                           pairs, {pairs}, {});
  CHECK(std::isfinite(result.train_loss));
}

TEST_CASE("pairs that teach nothing are left out or refused with a reason") {
  const TemporaryFolder folder;
  const data::KeypointPairs unmatched = drawn({.partners = 0});
  expect_error<base::DataError>([&] { train::usable_pairs(unmatched); },
                                {"no keypoint", "partner"});
  io::TensorFile file = drawn_keypoints();
  tensor::Tensor<std::int32_t> first = file.at("matches0").to<std::int32_t>();
  tensor::Tensor<std::int32_t> second = file.at("matches1").to<std::int32_t>();
  for (std::int64_t i = 16; i < 32; ++i) first[i] = second[i] = data::kAmbiguous;
  file.put("matches0", first);
  file.put("matches1", second);
  const data::KeypointPairs some =
      data::KeypointPairs::parse(file, config::DescriptorKind::histogram);
  CHECK(train::usable_pairs(some) == std::vector<std::int64_t>{0, 2, 3});
  config::MatcherTrainConfig config = small_training(some);
  config.train.batch = 4;
  expect_error<base::UsageError>(
      [&] { train::train_matcher(config, config::RunFolder(folder / "run"), some, {}, {}); },
      {"train.batch is 4", "only 3"});
  file.tensors.erase("matches0");
  file.tensors.erase("matches1");
  const data::KeypointPairs unknown =
      data::KeypointPairs::parse(file, config::DescriptorKind::histogram);
  expect_error<base::DataError>([&] { train::usable_pairs(unknown); }, {"matches0"});
}

TEST_CASE("a matcher that diverges stops, names the step and keeps its checkpoint") {
  const TemporaryFolder folder;
  const data::KeypointPairs pairs = drawn({});
  config::MatcherTrainConfig config = small_training(pairs);
  config.model.matcher.start_gain = 1e4;
  config.train.learning_rate = 10;
  config.train.clip_norm = 0;
  config.train.max_steps = 400;
  config.train.weight_decay = 10;
  config.train.beta1 = config.train.beta2 = 0;
  config.train.checkpoint_every = 1;
  expect_error<base::NumericalError>(
      [&] { train::train_matcher(config, config::RunFolder(folder / "run"), pairs, {}, {}); },
      {"diverged at step", "checkpoint", "train.learning_rate"});
}
