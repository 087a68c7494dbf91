#pragma once

#include <functional>

#include "config/train_config.h"
#include "train/trainer.h"

namespace asap::train {

/// The memory that a training needs in addition to its data.
struct TrainingFootprint {
  std::int64_t parameters = 0;   ///< trained numbers (see RegionPhases::parameter_count)
  std::int64_t state_bytes = 0;  ///< parameters, moments, and a gradient for every shard of a rank
  std::int64_t step_bytes = 0;   ///< values, gradients and scratch of a step (see ShardEngine)
  std::int64_t bytes() const { return state_bytes + step_bytes; }
};

/// Measured on one shard of the longest examples, for every thread that has one at the same time:
/// hardly any step needs more. Of each of `ranks` ranks. Changes and writes nothing. UsageError as
/// train().
TrainingFootprint training_footprint(const config::TrainConfig& config,
                                     const data::Dataset& train_data, int threads, int ranks = 1);

/// The time and memory that a training will need, measured on its first steps.
struct TrainingEstimate {
  std::int64_t steps = 0;           ///< of the whole training
  std::int64_t measured_steps = 0;  ///< steps that were timed
  double seconds_per_step = 0;
  double training_seconds = 0;
  double test_seconds = 0;           ///< of all tests together
  std::int64_t step_peak_bytes = 0;  ///< as TrainingResult's
  std::int64_t peak_bytes = 0;       ///< of the process, data included
  double seconds() const { return training_seconds + test_seconds; }
};

/// Trains a few steps, computes the batch of the longest examples for the memory and tests once, on
/// the real data; writes nothing. UsageError as train().
TrainingEstimate estimate_training(const config::TrainConfig& config,
                                   const data::Dataset& train_data, const data::Dataset& test_data,
                                   int threads);

/// How well a model memorised one batch.
struct OverfitResult {
  std::int64_t steps = 0;
  double first_loss = 0, loss = 0, accuracy = 0;
  bool learned() const { return accuracy == 1; }
};

/// A sanity check of model, data and learning rate: trains on one batch, without dropout,
/// augmentation, label smoothing and weight decay, until the model predicts all of it or
/// `most_steps` are done. A model that cannot memorise 64 examples will not learn more.
/// NumericalError when the loss is not finite.
OverfitResult overfit_one_batch(const config::TrainConfig& config, const data::Dataset& train_data,
                                int threads, std::int64_t most_steps,
                                const std::function<void(const OverfitResult&)>& on_step = {});

}  // namespace asap::train
