#include "train/training_run.h"

#include <algorithm>

#include "base/files.h"

namespace asap::train {
namespace {

void claim_run(const config::RunFolder& run, bool resume) {
  if (!resume && (std::filesystem::exists(run.config()) || run.newest_checkpoint()))
    throw base::UsageError("'" + run.path().string() + "' already holds a training run",
                           "continue it with `resume`, or choose another `out`");
  base::remove_leftovers(run.path());
  base::remove_leftovers(run.checkpoints());
}

}  // namespace

std::unique_ptr<base::FileLock> occupy_run(const config::RunFolder& run,
                                           const TrainerOptions& options) {
  distributed::Ranks& ranks = *options.team.ranks;
  std::unique_ptr<base::FileLock> lock;
  if (ranks.leads()) {
    base::make_directories(run.path());
    lock = std::make_unique<base::FileLock>(run.lock());
    if (lock->stale_owner() && options.on_note)
      options.on_note("process " + std::to_string(*lock->stale_owner()) +
                      ", which trained here before, ended without cleaning up");
    claim_run(run, options.resume);
  }
  ranks.gather("");  // only then do the others look into the folder
  return lock;
}

void tidy_checkpoints(const config::RunFolder& run, std::int64_t step, int keep) {
  if (run.checkpoint_steps().back() == step) remove_old_checkpoints(run, keep);
}

void write_run_config(const config::RunFolder& run, const io::Json& config) {
  std::filesystem::remove(run.summary());
  io::write_json(run.config(), config);
}

void open_metrics(const config::RunFolder& run, bool resumed, std::int64_t step,
                  std::optional<io::MetricsWriter>& metrics) {
  if (resumed)
    metrics.emplace(run.metrics(), step);
  else
    metrics.emplace(run.metrics());
}

void require_same_state(distributed::Ranks& ranks, const TrainingState& state) {
  if (ranks.size() == 1) return;
  const tensor::VectorView<const float> weights = state.parameters.flat();
  const std::string_view bytes(reinterpret_cast<const char*>(weights.data()), weights.size_bytes());
  distributed::require_same(
      ranks,
      {{"the step of the checkpoint", std::to_string(state.progress.step)},
       {"the fingerprint of the weights", base::content_fingerprint(bytes)}},
      "all ranks must see the same folder `out` and the same train.init_from");
}

std::int64_t last_step(const TrainerOptions& options, std::int64_t total_steps) {
  return options.stop_after > 0 ? std::min(options.stop_after, total_steps) : total_steps;
}

std::string kept_checkpoint(const config::RunFolder& run) {
  const auto checkpoint = run.newest_checkpoint();
  return checkpoint ? " (the checkpoint '" + checkpoint->string() + "' is kept)" : "";
}

}  // namespace asap::train
