#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "config/matcher_config.h"
#include "config/run_folder.h"
#include "data/sampler.h"
#include "io/safetensors.h"
#include "nn/transformer.h"
#include "optim/adamw.h"
#include "train/initial_weights.h"

namespace asap::train {

/// The test with the highest accuracy so far; the first of several.
struct BestTest {
  std::int64_t step = 0;
  double accuracy = 0;
  double loss = 0;
};

/// The progress of a training.
struct TrainingProgress {
  std::int64_t step = 0;           ///< steps done, skipped ones included
  std::int64_t skipped_steps = 0;  ///< steps whose loss or gradient was not finite
  std::int64_t skipped_in_a_row = 0;
  std::int64_t rollbacks = 0;
  double learning_rate_factor = 1;  ///< halved by every rollback
  std::optional<BestTest> best;     ///< only with train.keep_best
  InitialWeights initial;           ///< the origin of the first weights
};

/// Everything a checkpoint restores besides the configuration.
struct TrainingState {
  TrainingProgress progress;
  autodiff::ParameterStore<float>& parameters;
  optim::AdamW<float>& optimizer;
  data::EpochSampler& sampler;
};

/// The weights of a network in a checkpoint.
struct StoredWeights {
  io::TensorFile tensors;
  std::string fingerprint;  ///< of the file
};

/// The weights of the newest checkpoint of a run. DataError when there is none or it is damaged.
StoredWeights read_newest_weights(const config::RunFolder& run);

/// The model's parameters under their names.
io::TensorFile export_parameters(const autodiff::ParameterStore<float>& parameters);

/// Writes a checkpoint folder that appears under its name only when complete and replaces an older
/// one. `config`: the configuration of the training. Its content does not depend on time, machine
/// or threads: equal trainings write equal bytes.
void write_checkpoint(const std::filesystem::path& folder, const TrainingState& state,
                      const io::Json& config, const std::string& data_fingerprint);

/// Writes RUN/checkpoint/step-NNNNNNNN and removes the oldest ones beyond `keep`.
void save_checkpoint(const config::RunFolder& run, const TrainingState& state,
                     const io::Json& config, const std::string& data_fingerprint, int keep);

/// Removes the oldest checkpoints beyond `keep`. A training that was killed right after it wrote a
/// checkpoint leaves one too many.
void remove_old_checkpoints(const config::RunFolder& run, int keep);

/// Exceptions from the rules of load_checkpoint.
struct ResumeOptions {
  /// Fields (or groups: "train") whose value may differ from the checkpoint's. UsageError for names
  /// that do not exist and for fields that decide the order of the examples or the parameters'
  /// shapes.
  std::span<const std::string> allowed_changes;
  /// Receives a note on each damaged checkpoint that is skipped for an older one.
  std::function<void(const std::string&)> on_note;
};

/// Restores the newest undamaged checkpoint of the run. Returns false when the run has no
/// checkpoint. UsageError names the first field in which the configuration differs from the
/// checkpoint's. DataError when the training data differ, or when every checkpoint is damaged
/// (naming the damage of the newest).
bool load_checkpoint(const config::RunFolder& run, TrainingState& state,
                     const config::TrainConfig& config, const std::string& data_fingerprint,
                     const ResumeOptions& options = {});
bool load_checkpoint(const config::RunFolder& run, TrainingState& state,
                     const config::MatcherTrainConfig& config, const std::string& data_fingerprint,
                     const ResumeOptions& options = {});

}  // namespace asap::train
