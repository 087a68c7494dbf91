#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/run_folder.h"
#include "data/dataset.h"
#include "train/checkpoint.h"
#include "train/shard_engine.h"

namespace asap::train {

/// The logged values of one training step.
struct StepReport {
  std::int64_t step = 0;  ///< steps done, this one included
  std::int64_t total_steps = 0;
  std::int64_t epoch = 0;  ///< 0-based
  StepOutcome outcome;
  double learning_rate = 0;
  double gradient_norm = 0;  ///< before clipping
  double seconds = 0;        ///< of the step
};

/// Loss and accuracy on the test data.
struct TestReport {
  double loss = 0;
  double accuracy = 0;
};

/// Options of a training that do not change its result.
struct TrainerOptions {
  int threads = 1;
  /// The job: rank 0 writes, every rank reads what a resumed run needs. Unless the order of sums is
  /// fixed, these change the result, too.
  Teamwork team;
  /// What else all ranks must have in common, besides configuration and data: the program.
  distributed::NamedValues identity;
  bool resume = false;
  /// With resume: fields that may differ from the checkpoint's (see ResumeOptions).
  std::vector<std::string> allowed_changes;
  std::int64_t stop_after = 0;  ///< stop after this step and save a checkpoint; 0: train to the end
  /// Called after every step; true stops the training with a checkpoint and without a last test.
  std::function<bool()> should_stop;
  std::function<void(const StepReport&)> on_step;
  std::function<void(std::int64_t step)> on_resume;
  std::function<void(std::int64_t step, const TestReport&)> on_test;
  /// Receives notes for the user, one line each: a skipped step, a rollback, a damaged checkpoint.
  std::function<void(const std::string&)> on_note;
};

struct TrainingResult {
  std::int64_t steps = 0;        ///< done in all
  std::int64_t total_steps = 0;  ///< of the whole training
  bool finished = false;
  bool interrupted = false;  ///< should_stop ended it before its last step
  std::int64_t skipped_steps = 0;
  std::int64_t rollbacks = 0;
  double seconds = 0;  ///< of this process, without tests
  double examples_per_second = 0;
  std::int64_t parameters = 0;
  std::int64_t step_peak_bytes = 0;  ///< see ShardEngine::step_peak_bytes; of this process
  double train_loss = 0;             ///< of the last step
  TestReport test;                   ///< of the last weights; not measured when interrupted
  std::optional<BestTest> best;
  InitialWeights initial;  ///< the origin of the first weights, also of a resumed run
};

/// Steps of the whole training. UsageError when the data do not fill one batch.
std::int64_t planned_steps(const config::TrainConfig& config, const data::Dataset& train);

/// The number of tokens of each example, if batches are sorted by length; else empty.
std::vector<std::int64_t> batch_lengths(const config::TrainConfig& config,
                                        const data::Dataset& data);

/// Trains `config.model` (complete) and writes config.json, metrics.jsonl, checkpoints and, for
/// texts, the codec into the run folder. train.on_divergence decides what happens when the loss or
/// gradient is not finite; if the training ends, the checkpoints stay and a NumericalError names
/// the step and the first tensor that is not finite. UsageError when the folder holds a run and
/// `resume` is not set, or another process trains into it. Several ranks train together and give
/// the same bytes as one; UsageError, on all of them, when they differ in program, configuration or
/// data.
TrainingResult train(const config::TrainConfig& config, const config::RunFolder& run,
                     const data::Dataset& train_data, const data::Dataset& test_data,
                     const TrainerOptions& options);

}  // namespace asap::train
