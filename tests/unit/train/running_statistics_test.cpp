#include "train/running_statistics.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/files.h"
#include "optim/adamw.h"
#include "support/small_convolutions.h"
#include "support/temporary_folder.h"
#include "train/shard_engine.h"

using namespace asap;
using namespace asap::test;

namespace {

std::string bytes_of(const std::filesystem::path& run) {
  const std::filesystem::path checkpoint = config::RunFolder(run).require_checkpoint();
  return base::read_file(checkpoint / config::kModelFile) +
         base::read_file(checkpoint / config::kOptimizerFile) +
         base::read_file(config::RunFolder(run).metrics());
}

}  // namespace

TEST_CASE("statistics move by a tenth of what the gradient says, and nothing else does") {
  autodiff::ParameterStore<float> parameters;
  const auto weight = parameters.add("weight", {3}, true);
  const auto statistics = parameters.add_statistics("statistics", {2, 2});
  tensor::Tensor<float> gradient({static_cast<std::int64_t>(parameters.flat().size())});
  for (float& value : gradient.flat()) value = 2;
  train::move_statistics(parameters, gradient.flat());
  for (const float value : parameters.value(statistics).flat())
    CHECK(value == doctest::Approx(-0.2));
  for (const float value : parameters.value(weight).flat()) CHECK(value == 0);
}

TEST_CASE("no optimiser, no norm and no count takes statistics for parameters") {
  autodiff::ParameterStore<float> parameters;
  parameters.add("weight", {2}, true);
  const auto statistics = parameters.add_statistics("statistics", {2, 5});
  CHECK(parameters.parameter_count() == 2);
  tensor::Tensor<float> gradient({static_cast<std::int64_t>(parameters.flat().size())});
  for (float& value : gradient.flat()) value = 3;
  CHECK(optim::gradient_norm<float>(parameters, gradient.flat()) ==
        doctest::Approx(3 * std::sqrt(2.0)));
  optim::AdamW<float> optimizer(parameters, {});
  optimizer.step(parameters, gradient.flat(), 0.1, 1);
  for (const float value : parameters.value(statistics).flat()) CHECK(value == 0);
}

TEST_CASE("the running mean of a batch's shards is the mean over the batch") {
  // With equal shards the mean of their means is that of the batch.
  ConvolutionalTraining f;
  nn::Transformer<float> model(f.config.model, 1);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < 24; ++i) indices.push_back(i);
  const auto first_mean = [&](std::int64_t shard) {
    train::ShardEngine engine(model, {.shard = shard, .threads = 1});
    engine.compute(f.train_data, indices, 0);
    for (const auto& entry : model.parameters().entries())
      if (!entry.trained) return engine.gradient()[static_cast<std::size_t>(entry.offset)];
    return 0.0f;
  };
  CHECK(first_mean(6) != 0);
  CHECK(first_mean(6) == doctest::Approx(first_mean(24)).epsilon(1e-4));
}

TEST_CASE("a convolutional training has the same bytes for any threads, and when it is resumed") {
  const ConvolutionalTraining f;
  const TemporaryFolder folder;
  const train::TrainingResult whole = f.train_into(folder.path() / "whole", 1);
  CHECK(std::isfinite(whole.test.loss));
  f.train_into(folder.path() / "threads", 3);
  f.train_into(folder.path() / "resumed", 2, 2);
  f.train_into(folder.path() / "resumed", 1, 0, true);
  CHECK(bytes_of(folder.path() / "threads") == bytes_of(folder.path() / "whole"));
  CHECK(bytes_of(folder.path() / "resumed") == bytes_of(folder.path() / "whole"));
}
