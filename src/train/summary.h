#pragma once

#include "io/json.h"
#include "train/trainer.h"

namespace asap::train {

/// The content of a training run's summary.json.
io::Json training_summary(const config::TrainConfig& config, const TrainingResult& result);

/// The same for a person, in two lines.
std::string training_text(const config::RunFolder& folder, const config::TrainConfig& config,
                          const TrainingResult& result);

}  // namespace asap::train
