#pragma once

#include <memory>
#include <optional>

#include "base/file_lock.h"
#include "config/field_values.h"
#include "config/run_folder.h"
#include "io/metrics.h"
#include "optim/schedule.h"
#include "train/trainer.h"

// What trainings of every kind of network have in common.
namespace asap::train {

/// Takes the folder that a training writes into: of several ranks, rank 0 locks it, so that no
/// other training writes there, and removes what a killed process left behind; then all may look
/// into it. UsageError when it holds a run that is not to be resumed. The folder is taken while the
/// lock is kept.
[[nodiscard]] std::unique_ptr<base::FileLock> occupy_run(const config::RunFolder& run,
                                                         const TrainerOptions& options);

/// Removes checkpoints that a killed process had no time to remove, after the one of `step` was
/// read. After a damaged checkpoint the older ones are all that is left of the run: they stay.
void tidy_checkpoints(const config::RunFolder& run, std::int64_t step, int keep);

/// Writes the configuration of a run that goes on from here: a summary, which says that the run has
/// ended, is removed.
void write_run_config(const config::RunFolder& run, const io::Json& config);

/// Opens the metrics of a run: to go on after `step` if the training was `resumed`, else afresh.
void open_metrics(const config::RunFolder& run, bool resumed, std::int64_t step,
                  std::optional<io::MetricsWriter>& metrics);

/// Refuses ranks that differ in what decides the result: UsageError on all of them. `config`: of
/// either type; `data`: names and fingerprints of the data.
template <class Config>
void require_same_training(const TrainerOptions& options, const Config& config,
                           const distributed::NamedValues& data) {
  distributed::NamedValues values = options.identity;
  for (auto& field : config::field_values(config)) values.push_back(std::move(field));
  values.insert(values.end(), data.begin(), data.end());
  distributed::require_same(
      *options.team.ranks, values,
      "start all ranks with one program, one configuration and the same files");
}

/// Refuses ranks that have not read the same state: UsageError on all of them. Returns when all
/// have read it.
void require_same_state(distributed::Ranks& ranks, const TrainingState& state);

/// The step after which this process stops, of `total_steps`.
std::int64_t last_step(const TrainerOptions& options, std::int64_t total_steps);

/// " (the checkpoint 'FILE' is kept)", or nothing where there is none.
std::string kept_checkpoint(const config::RunFolder& run);

/// The schedule of `steps` steps. `train`: OptimisationConfig or MatcherOptimisationConfig.
template <class Optimisation>
optim::WarmupCosine schedule_of(const Optimisation& train, std::int64_t steps) {
  return {train.learning_rate, train.final_learning_rate_fraction,
          static_cast<std::int64_t>(train.warmup_fraction * static_cast<double>(steps)), steps};
}

}  // namespace asap::train
