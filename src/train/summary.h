#pragma once

#include "io/json.h"
#include "train/trainer.h"

namespace asap {

/// What summary.json of a training run says.
Json training_summary(const TrainConfig& config, const TrainingResult& result);

/// "ViT, 3 layers, width 64, 2 heads, 49 tokens, Sinkhorn attention (T = 10, epsilon = 1)"
std::string describe_model(const ModelConfig& model);

}  // namespace asap
