#pragma once

#include "io/json.h"
#include "train/trainer.h"

namespace asap {

/// What summary.json of a training run says.
Json training_summary(const TrainConfig& config, const TrainingResult& result);

/// The same for a person, in two lines.
std::string training_text(const RunFolder& folder, const TrainConfig& config,
                          const TrainingResult& result);

}  // namespace asap
