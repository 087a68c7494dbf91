#include "train/trainer.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/dataset.h"
#include "data/load/load_dataset.h"
#include "support/expect_error.h"
#include "support/learnable_sequences.h"
#include "support/small_sequences.h"
#include "support/temporary_folder.h"
#include "support/tiny_training.h"
#include "train/checkpoint.h"

using namespace asap::autodiff;
using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::train;
using namespace asap::test;

TEST_CASE("every step's line of metrics.jsonl holds the evidence of Sinkhorn attention") {
  for (const double epsilon : {1.0, 1e-2}) {
    CAPTURE(epsilon);
    TinyTraining f;
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
    asap::train::train(f.config, run, f.train_data, f.test_data, {});
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
  TinyTraining f;
  f.config.train.learning_rate = 10;
  f.config.train.clip_norm = 0;
  f.config.train.warmup_fraction = 0;
  f.config.train.epochs = 100;
  f.config.train.checkpoint_every = 1;
  f.config.train.weight_decay = 10;  // with this rate every step multiplies weights by -99
  const TemporaryFolder folder;
  const RunFolder run(folder.path() / "run");
  expect_error<NumericalError>(
      [&] { asap::train::train(f.config, run, f.train_data, f.test_data, {}); },
      {"diverged at step", "not finite", "learning_rate"});
  CHECK(run.newest_checkpoint().has_value());
}

TEST_CASE("a batch larger than the training set is refused") {
  TinyTraining f;
  f.config.train.batch = 97;
  expect_error<UsageError>([&] { planned_steps(f.config, f.train_data); }, {"train.batch is 97"});
}

TEST_CASE("a run that started from another's weights is resumed without it, to the same end") {
  TinyTraining f;
  const TemporaryFolder folder;
  const RunFolder first = short_run(f, folder.path() / "first");
  f.config.train.init_from = first.path().string();
  f.config.model.attention.kind = AttentionKind::softmax;
  const RunFolder whole(folder.path() / "whole"), parts(folder.path() / "parts");
  const TrainingResult expected =
      asap::train::train(f.config, whole, f.train_data, f.test_data, {});
  TrainerOptions options;
  options.stop_after = 1;
  asap::train::train(f.config, parts, f.train_data, f.test_data, options);
  std::filesystem::remove_all(first.path());
  options.stop_after = 0;
  options.resume = true;
  const TrainingResult result =
      asap::train::train(f.config, parts, f.train_data, f.test_data, options);
  CHECK(read_newest_weights(parts).fingerprint == read_newest_weights(whole).fingerprint);
  CHECK(result.initial.fingerprint == expected.initial.fingerprint);
  CHECK(read_file(parts.newest_checkpoint().value() / kStateFile) ==
        read_file(whole.newest_checkpoint().value() / kStateFile));
}

TEST_CASE("point sets and labelled points are learnt, and a resumed training ends the same") {
  for (const bool labels_tokens : {false, true}) {
    CAPTURE(labels_tokens);
    Dataset data = small_sequences(ModelKind::set, mixed_lengths(160), labels_tokens);
    label_by_sign(data);
    const TrainConfig config = sequence_training(data);
    const TemporaryFolder folder;
    const TrainingResult whole =
        asap::train::train(config, RunFolder(folder / "whole"), data, data, {});
    CHECK(whole.test.accuracy > 0.9);

    const RunFolder parts(folder / "parts");
    TrainerOptions options;
    options.stop_after = 33;
    options.threads = 2;
    asap::train::train(config, parts, data, data, options);
    options.stop_after = 0;
    options.resume = true;
    const TrainingResult resumed = asap::train::train(config, parts, data, data, options);
    CHECK(resumed.train_loss == whole.train_loss);
    CHECK(resumed.test.loss == whole.test.loss);
  }
}

TEST_CASE("batches of similar length are learnt from too, and a resumed training ends the same") {
  Dataset data = small_sequences(ModelKind::set, mixed_lengths(160));
  label_by_sign(data);
  TrainConfig config = sequence_training(data);
  config.train.length_pool = 4;
  const TemporaryFolder folder;
  const TrainingResult whole =
      asap::train::train(config, RunFolder(folder / "whole"), data, data, {});
  CHECK(whole.test.accuracy > 0.9);
  TrainerOptions options;
  options.stop_after = 33;
  options.threads = 2;
  asap::train::train(config, RunFolder(folder / "parts"), data, data, options);
  options.stop_after = 0;
  options.resume = true;
  const TrainingResult resumed =
      asap::train::train(config, RunFolder(folder / "parts"), data, data, options);
  CHECK(resumed.train_loss == whole.train_loss);
  CHECK(resumed.test.loss == whole.test.loss);
}
