#pragma once

#include <filesystem>

#include "data/sampler.h"
#include "io/run_folder.h"
#include "io/safetensors.h"
#include "nn/vision_transformer.h"
#include "optim/adamw.h"

namespace asap {

/// Everything a checkpoint restores besides the configuration.
struct TrainingState {
  std::int64_t step = 0;  ///< steps done
  VisionTransformer<float>& model;
  AdamW<float>& optimizer;
  EpochSampler& sampler;
};

/// The model's parameters under their names.
TensorFile export_parameters(const ParameterStore<float>& parameters);

/// Writes RUN/checkpoint/step-NNNNNNNN (it appears only when complete) and removes the oldest ones beyond
/// `keep`. Nothing in it depends on time, machine or threads: equal trainings write equal bytes.
void save_checkpoint(const RunFolder& run, const TrainingState& state, const TrainConfig& config,
                     const std::string& data_fingerprint, int keep);

/// Restores the newest complete checkpoint of the run. Returns false when there is none. UsageError when
/// the configuration differs from the checkpoint's (naming the first field), DataError when the training
/// data do or a file is damaged.
bool load_checkpoint(const RunFolder& run, TrainingState& state, const TrainConfig& config,
                     const std::string& data_fingerprint);

}  // namespace asap
