#include "train/trial_training.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/timing.h"
#include "train/divergence.h"
#include "train/learning_rates.h"
#include "train/region_phases.h"
#include "train/running_statistics.h"
#include "train/validation.h"

namespace asap::train {
namespace {

constexpr std::int64_t kWarmUpSteps = 2;  // they allocate memory and fill caches
constexpr std::int64_t kMostSteps = 200;  // most measured steps
constexpr double kLongEnough = 2;         // seconds of measured steps

/// Model, optimizer and batches of a training, in memory only.
class TrialTraining {
 public:
  TrialTraining(const config::TrainConfig& config, const data::Dataset& data, int threads)
      : config_(config),
        data_(data),
        model_(config.model, config.seed),
        optimizer_(model_.parameters(),
                   {config.train.beta1, config.train.beta2, config.train.adam_epsilon,
                    config.train.weight_decay, threads}),
        engine_(model_, {config.train.shard,
                         threads,
                         config.seed,
                         config.model.dropout,
                         config.model.embedding_dropout,
                         config.data.text.word_dropout,
                         config.train.label_smoothing,
                         {config.data.images.flip, config.data.images.crop_padding}}) {
    quicken_slack<float>(model_.parameters(), config.train.slack_rate, optimizer_);
  }

  StepOutcome step(std::span<const std::int64_t> indices, double learning_rate) {
    const StepOutcome outcome = engine_.compute(data_, indices, optimizer_.steps());
    const double norm = optim::gradient_norm<float>(model_.parameters(), engine_.gradient());
    if (!std::isfinite(outcome.loss) || !std::isfinite(norm))
      throw base::NumericalError(
          "training diverged at step " + std::to_string(optimizer_.steps() + 1) + ": " +
              describe_divergence(model_, engine_.gradient_view(), data_, indices),
          "lower train.learning_rate or set train.clip_norm");
    optimizer_.step(model_.parameters(), engine_.gradient(), learning_rate,
                    optim::clip_factor(norm, config_.train.clip_norm));
    move_statistics(model_.parameters(), engine_.gradient());
    model_.settle_regions();
    return outcome;
  }

  /// Computes batches from `indices` and discards the results.
  void compute(std::span<const std::int64_t> indices) { engine_.compute(data_, indices, 0); }

  /// `step_bytes`: what a step needs.
  TrainingFootprint footprint(std::int64_t step_bytes, std::int64_t shards) {
    const std::int64_t values = model_.parameters().parameter_count();
    const std::int64_t steps = planned_steps(config_, data_);
    const RegionPhases phases(model_, optimizer_,
                              {release_step(config_.train, steps), config_.train.weights_rate});
    return {phases.parameter_count(steps),
            values * (3 + shards) * static_cast<std::int64_t>(sizeof(float)), step_bytes};
  }

  const nn::Transformer<float>& model() const { return model_; }
  const ShardEngine& engine() const { return engine_; }

 private:
  const config::TrainConfig& config_;
  const data::Dataset& data_;
  nn::Transformer<float> model_;
  optim::AdamW<float> optimizer_;
  ShardEngine engine_;
};

data::EpochSampler sampler_of(const config::TrainConfig& config, const data::Dataset& data) {
  return data::EpochSampler(
      {data.size(), config.train.batch, config.seed, false, config.train.length_pool},
      batch_lengths(config, data));
}

/// The examples that need most memory.
std::vector<std::int64_t> longest_examples(const data::Dataset& data, std::int64_t count) {
  const std::vector<std::int64_t> order = data::length_order(data);
  return {order.end() - std::min(count, std::ssize(order)), order.end()};
}

/// Seconds of one test.
double test_time(const TrialTraining& trial, const config::TrainConfig& config,
                 const data::Dataset& data, int threads) {
  const infer::Encoder encoder(config.model, export_parameters(trial.model().parameters()), "");
  const base::Stopwatch watch;
  test_model(encoder, data, threads);
  return watch.seconds();
}

}  // namespace

TrainingFootprint training_footprint(const config::TrainConfig& config,
                                     const data::Dataset& train_data, int threads, int ranks) {
  planned_steps(config, train_data);  // there is one batch
  TrialTraining trial(config, train_data, 1);
  const std::int64_t batch = config.train.batch, shard = config.train.shard;
  trial.compute(longest_examples(train_data, std::min(shard, batch)));
  const std::int64_t shards = ((batch + shard - 1) / shard + ranks - 1) / ranks;
  const std::int64_t at_once = std::min<std::int64_t>(std::max(threads, 1), shards);
  return trial.footprint(at_once * trial.engine().step_peak_bytes(), shards);
}

TrainingEstimate estimate_training(const config::TrainConfig& config,
                                   const data::Dataset& train_data, const data::Dataset& test_data,
                                   int threads) {
  TrainingEstimate estimate;
  estimate.steps = planned_steps(config, train_data);
  if (estimate.steps == 0)
    throw base::UsageError("train.epochs is 0: there is no step to estimate",
                           "set train.epochs=1 or more");
  TrialTraining trial(config, train_data, threads);
  data::EpochSampler sampler = sampler_of(config, train_data);
  std::vector<double> seconds;
  const base::Stopwatch all;
  for (std::int64_t step = 0; step < std::min(estimate.steps, kMostSteps); ++step) {
    const base::Stopwatch watch;
    trial.step(sampler.next(),
               config.train.learning_rate * 1e-3);  // leaves the weights almost unchanged
    if (step >= kWarmUpSteps || estimate.steps <= kWarmUpSteps) seconds.push_back(watch.seconds());
    if (all.seconds() > kLongEnough && !seconds.empty()) break;
  }
  estimate.measured_steps = std::ssize(seconds);
  // Batches differ in length, so the total follows from the mean.
  estimate.seconds_per_step =
      std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(seconds.size());
  estimate.training_seconds = estimate.seconds_per_step * static_cast<double>(estimate.steps);
  const std::int64_t per_epoch = train_data.size() / config.train.batch;
  const std::int64_t tests = (estimate.steps + per_epoch - 1) / per_epoch;
  estimate.test_seconds = static_cast<double>(tests) * test_time(trial, config, test_data, threads);
  trial.compute(longest_examples(train_data, config.train.batch));
  estimate.peak_bytes = base::peak_memory_bytes();
  estimate.step_peak_bytes = std::max(trial.engine().step_peak_bytes(),
                                      training_footprint(config, train_data, threads).step_bytes);
  return estimate;
}

OverfitResult overfit_one_batch(const config::TrainConfig& config, const data::Dataset& train_data,
                                int threads, std::int64_t most_steps,
                                const std::function<void(const OverfitResult&)>& on_step) {
  planned_steps(config, train_data);  // there is one batch
  config::TrainConfig plain = config;
  plain.model.dropout = plain.model.embedding_dropout = plain.data.text.word_dropout = 0;
  plain.data.images.flip = false;
  plain.data.images.crop_padding = 0;
  plain.train.label_smoothing = plain.train.weight_decay = 0;
  TrialTraining trial(plain, train_data, threads);
  data::EpochSampler sampler({train_data.size(), config.train.batch, config.seed, false, 0}, {});
  const std::span<const std::int64_t> next = sampler.next();
  const std::vector<std::int64_t> batch(next.begin(), next.end());
  OverfitResult result;
  while (result.steps < most_steps && !result.learned()) {
    const StepOutcome outcome = trial.step(batch, plain.train.learning_rate);
    if (result.steps++ == 0) result.first_loss = outcome.loss;
    result.loss = outcome.loss;
    result.accuracy = outcome.accuracy > 1 - 1e-9 ? 1 : outcome.accuracy;
    if (on_step) on_step(result);
  }
  return result;
}

}  // namespace asap::train
