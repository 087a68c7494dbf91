#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "autodiff/row_ops.h"
#include "base/files.h"
#include "data/batch.h"
#include "data/dataset.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "infer/encoder.h"
#include "optim/schedule.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/shard_engine.h"
#include "train/trainer.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::nn;
using namespace asap::optim;
using namespace asap::tensor;
using namespace asap::train;
using namespace asap::test;

namespace {

TrainConfig tiny_config() {
  TrainConfig config;
  config.data.kind = DataKind::shapes;
  config.data.classes = 6;
  config.data.shapes.examples = 96;
  config.data.shapes.test_examples = 32;
  config.model.width = 16;
  config.model.layers = 2;
  config.model.dropout = 0.1;
  config.train.batch = 24;
  config.train.shard = 5;  // does not divide the batch
  config.train.epochs = 1;
  return config;
}

struct Fixture {
  TrainConfig config = tiny_config();
  Dataset train_data = load_dataset(config.data, Split::train);
  Dataset test_data = load_dataset(config.data, Split::test);
  Fixture() { config.model = fit_model_to_data(config.model, train_data, "test"); }
};

TrainingProgress after_step(std::int64_t step) {
  TrainingProgress progress;
  progress.step = step;
  return progress;
}

}  // namespace

TEST_CASE("the gradient of a batch is the same to the last bit for any number of threads") {
  Fixture f;
  const Transformer<float> model(f.config.model, 1);
  std::vector<std::int64_t> indices(24);
  std::iota(indices.begin(), indices.end(), 3);
  Tensor<float> expected;
  double loss = 0;
  for (const int threads : {1, 2, 3, 5}) {
    ShardEngine engine(model, {.shard = 5, .threads = threads, .dropout = 0.1});
    const StepOutcome outcome = engine.compute(f.train_data, indices, 4);
    if (threads == 1) {
      expected = Tensor<float>({static_cast<std::int64_t>(engine.gradient().size())});
      std::ranges::copy(engine.gradient(), expected.flat().begin());
      loss = outcome.loss;
    }
    CHECK(outcome.loss == loss);
    CHECK(std::ranges::equal(engine.gradient(), expected.flat()));
  }
}

TEST_CASE("the sharded gradient is the gradient of the whole batch") {
  Fixture f;
  const Transformer<float> model(f.config.model, 1);
  std::vector<std::int64_t> indices(24);
  std::iota(indices.begin(), indices.end(), 0);
  ShardEngine sharded(model, {.shard = 5, .threads = 2}), whole(model, {.shard = 24});
  const double loss = sharded.compute(f.train_data, indices, 0).loss;
  CHECK(loss == doctest::Approx(whole.compute(f.train_data, indices, 0).loss).epsilon(1e-6));
  for (std::size_t i = 0; i < sharded.gradient().size(); ++i)  // float32 sums in another order
    REQUIRE(std::abs(sharded.gradient()[i] - whole.gradient()[i]) < 1e-5);
}

TEST_CASE("inference without a tape agrees with the network on the tape") {
  for (const Pooling pooling : {Pooling::mean, Pooling::class_token}) {
    Fixture f;
    f.config.model.pooling = pooling;
    f.config.model.attention.learn_epsilon = true;
    const Transformer<float> model(f.config.model, 1);
    const Encoder encoder(f.config.model, export_parameters(model.parameters()), "");
    Tensor<float> logits({7, 6});
    Batch batch;
    batch.fill(f.train_data, std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6});
    Tape<float> tape;
    tape.bind(model.parameters(), {});
    AttentionEvidence evidence;
    PassContext<float> pass{tape, evidence, 0, {}};
    const Var<float> expected = model.forward(pass, batch.input());
    Arena arena;
    encoder.forward(batch.input(), *encoder.teacher(), logits.rows(), arena);
    for (std::int64_t i = 0; i < logits.size();
         ++i)  // the same operations, residuals added in place
      CHECK(std::abs(logits[i] - expected.value().data[i]) < 1e-5);
  }
}

TEST_CASE("a checkpoint restores weights, moments, counters and the sampler's position") {
  Fixture f;
  const TemporaryFolder folder;
  const RunFolder run(folder.path() / "run");
  Transformer<float> model(f.config.model, 1), other(f.config.model, 2);
  AdamW<float> optimizer(model.parameters(), {}), other_optimizer(other.parameters(), {});
  EpochSampler sampler({96, 24, 1}), other_sampler({96, 24, 1});
  sampler.next();
  std::vector<float> gradient(model.parameters().flat().size(), 0.5f);
  optimizer.step(model.parameters(), gradient, 0.01, 1.0);
  save_checkpoint(run, {after_step(7), model, optimizer, sampler}, f.config, "data", 1);

  TrainingState state{{}, other, other_optimizer, other_sampler};
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
  Fixture f;
  const TemporaryFolder folder;
  const RunFolder run(folder.path() / "run");
  Transformer<float> model(f.config.model, 1);
  AdamW<float> optimizer(model.parameters(), {});
  EpochSampler sampler({96, 24, 1});
  for (const std::int64_t step : {1, 5, 9, 12})
    save_checkpoint(run, {after_step(step), model, optimizer, sampler}, f.config, "data", 2);
  CHECK(run.checkpoint_steps() == std::vector<std::int64_t>{9, 12});
  CHECK(run.newest_checkpoint() == run.checkpoint(12));
}

TEST_CASE("every step's line of metrics.jsonl holds the evidence of Sinkhorn attention") {
  for (const double epsilon : {1.0, 1e-2}) {
    CAPTURE(epsilon);
    Fixture f;
    // In one dimension the duals of neighbouring tokens grow apart with every iteration.
    f.config.model.heads = 16;
    f.config.model.patch = 2;
    f.config.model.attention.iterations = 30;
    f.config.model.attention.epsilon = epsilon;
    f.config.data.shapes.examples = f.config.train.batch;  // one step
    f.config.data.shapes.test_examples = 4;
    f.train_data = load_dataset(f.config.data, Split::train);
    f.test_data = load_dataset(f.config.data, Split::test);
    const TemporaryFolder folder;
    const RunFolder run(folder.path() / "run");
    train(f.config, run, f.train_data, f.test_data, {});
    const std::string metrics = read_file(run.metrics());
    const Json line = parse_json(metrics.substr(0, metrics.find('\n')), "metrics");
    CHECK(line["step"] == 1);
    CHECK(line["column_error"] > 0.0);
    CHECK(line["column_error"] < 2.0);
    CHECK((line["log_domain_heads"] > 0) == (epsilon < 1));
    CHECK((line["underflows"] > 0) == (epsilon < 1));
  }
}

TEST_CASE("a divergence stops the training with step and tensor and keeps the last checkpoint") {
  Fixture f;
  f.config.train.learning_rate = 10;
  f.config.train.clip_norm = 0;
  f.config.train.warmup_fraction = 0;
  f.config.train.epochs = 100;
  f.config.train.checkpoint_every = 1;
  f.config.train.weight_decay = 10;  // with this rate every step multiplies weights by -99
  const TemporaryFolder folder;
  const RunFolder run(folder.path() / "run");
  expect_error<NumericalError>([&] { train(f.config, run, f.train_data, f.test_data, {}); },
                               {"diverged at step", "not finite", "learning_rate"});
  CHECK(run.newest_checkpoint().has_value());
}

TEST_CASE("the schedule rises linearly to its peak and falls to its end by half a cosine") {
  const WarmupCosine schedule{2.0, 0.1, 10, 110};
  CHECK(schedule.rate(0) == doctest::Approx(0.2));
  CHECK(schedule.rate(9) == doctest::Approx(2.0));
  CHECK(schedule.rate(10) == doctest::Approx(2.0));
  CHECK(schedule.rate(109) == doctest::Approx(0.2));
  double middle = 0.5 * (schedule.rate(59) + schedule.rate(60));
  CHECK(middle == doctest::Approx(1.1).epsilon(1e-3));
}

TEST_CASE("a batch larger than the training set is refused") {
  Fixture f;
  f.config.train.batch = 97;
  expect_error<UsageError>([&] { planned_steps(f.config, f.train_data); }, {"train.batch is 97"});
}

namespace {

/// A finished run of two steps.
RunFolder short_run(const Fixture& f, const std::filesystem::path& folder) {
  const RunFolder run(folder);
  TrainerOptions options;
  options.stop_after = 2;
  train(f.config, run, f.train_data, f.test_data, options);
  return run;
}

std::vector<float> values_of(const Transformer<float>& model, const std::string& name) {
  for (const auto& entry : model.parameters().entries())
    if (entry.name == name) {
      const auto begin = model.parameters().flat().begin() + entry.offset;
      return {begin, begin + entry.shape.size()};
    }
  FAIL("no parameter ", name);
  return {};
}

}  // namespace

TEST_CASE("a training that starts from another run's weights has all of them, whatever attention") {
  Fixture f;
  const TemporaryFolder folder;
  const RunFolder run = short_run(f, folder.path() / "first");
  const TensorFile weights = read_newest_weights(run).tensors;
  for (const AttentionKind kind :
       {AttentionKind::softmax, AttentionKind::lotformer, AttentionKind::sinkhorn}) {
    ModelConfig config = f.config.model;
    config.attention.kind = kind;
    config.attention.learn_epsilon = kind == AttentionKind::sinkhorn;
    Transformer<float> model(config, 9);
    const Transformer<float> untouched(config, 9);
    const InitialWeights initial = take_initial_weights(run.path().string(), model);
    CHECK(initial.fresh.size() == (kind == AttentionKind::softmax ? 0U : 2U));  // one per layer
    CHECK_FALSE(initial.fingerprint.empty());
    for (const auto& entry : model.parameters().entries()) {
      CAPTURE(entry.name);
      const std::vector<float> now = values_of(model, entry.name);
      if (std::ranges::count(initial.fresh, entry.name) > 0)
        CHECK(now == values_of(untouched, entry.name));
      else
        CHECK(std::ranges::equal(now, weights.at(entry.name).to<float>().flat()));
    }
  }
}

TEST_CASE("another number of classes starts with a fresh classifier and says so") {
  Fixture f;
  const TemporaryFolder folder;
  const RunFolder run = short_run(f, folder.path() / "first");
  ModelConfig config = f.config.model;
  config.classes = 3;
  Transformer<float> model(config, 9);
  const InitialWeights initial = take_initial_weights(run.path().string(), model);
  CHECK(initial.fresh == std::vector<std::string>{"head.weight", "head.bias"});
  CHECK(describe_initial_weights("first", initial) ==
        "starting from the weights of first; fresh: head.weight, head.bias");
}

TEST_CASE("weights that do not fit are refused by the name of the first tensor") {
  Fixture f;
  const TemporaryFolder folder;
  const RunFolder run = short_run(f, folder.path() / "first");
  const auto expect_refusal = [&](const auto& change, std::initializer_list<const char*> parts) {
    ModelConfig config = f.config.model;
    change(config);
    Transformer<float> model(config, 9);
    const std::vector<float> before(model.parameters().flat().begin(),
                                    model.parameters().flat().end());
    expect_error<UsageError>([&] { take_initial_weights(run.path().string(), model); }, parts);
    CHECK(std::ranges::equal(before, model.parameters().flat()));
  };
  expect_refusal([](ModelConfig& c) { c.width = 32; },
                 {"'embedding.patch.weight' must be [32, 16]", "[16, 16] there", "config.json"});
  expect_refusal([](ModelConfig& c) { c.layers = 3; },
                 {"'layers.2.attention_norm.weight'", "missing there"});
  expect_refusal([](ModelConfig& c) { c.layers = 1; }, {"no tensor 'layers.1."});
  expect_refusal([](ModelConfig& c) { c.heads = 4; }, {"model.heads is 2 there and 4 here"});
  Transformer<float> model(f.config.model, 1);
  CHECK_THROWS_AS(take_initial_weights((folder.path() / "nothing").string(), model), DataError);
}

TEST_CASE("a run that started from another's weights is resumed without it, to the same end") {
  Fixture f;
  const TemporaryFolder folder;
  const RunFolder first = short_run(f, folder.path() / "first");
  f.config.train.init_from = first.path().string();
  f.config.model.attention.kind = AttentionKind::softmax;
  const RunFolder whole(folder.path() / "whole"), parts(folder.path() / "parts");
  const TrainingResult expected = train(f.config, whole, f.train_data, f.test_data, {});
  TrainerOptions options;
  options.stop_after = 1;
  train(f.config, parts, f.train_data, f.test_data, options);
  std::filesystem::remove_all(first.path());
  options.stop_after = 0;
  options.resume = true;
  const TrainingResult result = train(f.config, parts, f.train_data, f.test_data, options);
  CHECK(read_newest_weights(parts).fingerprint == read_newest_weights(whole).fingerprint);
  CHECK(result.initial.fingerprint == expected.initial.fingerprint);
  CHECK(read_file(parts.newest_checkpoint().value() / kStateFile) ==
        read_file(whole.newest_checkpoint().value() / kStateFile));
}
