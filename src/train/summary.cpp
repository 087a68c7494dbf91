#include "train/summary.h"

#include "base/text.h"
#include "base/timing.h"

namespace asap {
namespace {

std::string describe_attention(const AttentionConfig& attention) {
  if (attention.kind == AttentionKind::softmax) return "softmax attention";
  return "Sinkhorn attention (T = " + std::to_string(attention.iterations) +
         ", epsilon = " + format_number(attention.epsilon) +
         (attention.learn_epsilon ? ", learned)" : ")");
}

}  // namespace

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

std::string describe_model(const ModelConfig& model) {
  return "ViT, " + std::to_string(model.layers) + " layers, width " + std::to_string(model.width) +
         ", " + std::to_string(model.heads) + " heads, " + std::to_string(model.tokens()) +
         " tokens, " + describe_attention(model.attention);
}

}  // namespace asap
