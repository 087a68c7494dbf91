#include "train/summary.h"

#include "base/timing.h"

namespace asap {

Json training_summary(const TrainConfig& config, const TrainingResult& result) {
  return {{"train",
           {{"steps", result.steps},
            {"total_steps", result.total_steps},
            {"finished", result.finished},
            {"loss", result.train_loss},
            {"seconds", result.seconds},
            {"examples_per_second", result.examples_per_second}}},
          {"test", {{"accuracy", result.test.accuracy}, {"loss", result.test.loss}}},
          {"model",
           {{"parameters", result.parameters}, {"attention", to_json(config.model.attention)}}},
          {"memory", {{"peak_bytes", peak_memory_bytes()}}},
          {"config", to_json(config)}};
}

}  // namespace asap
