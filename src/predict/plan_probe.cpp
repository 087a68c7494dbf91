#include "predict/plan_probe.h"

#include <algorithm>

#include "transport/marginals.h"

namespace asap::predict {

PlanProbe::PlanProbe(const attention::AttentionOperator& attention, const Config& config)
    : attention_(attention),
      config_(config),
      errors_(static_cast<std::size_t>(config.examples * config.layers * config.heads)),
      plans_(static_cast<std::size_t>(config.keep_plans ? config.examples : 0)) {}

void PlanProbe::apply(int layer, const attention::AttentionBatch<float>& batch,
                      tensor::MatrixView<float> output, tensor::Arena& scratch) const {
  attention_.apply(layer, batch, output, scratch);
  for (std::int64_t index = 0; index < batch.examples; ++index) {
    const tensor::ArenaScope scope(scratch);
    see(layer, index, batch.example(index), scratch);
  }
}

void PlanProbe::see(int layer, std::int64_t index, const attention::AttentionBatch<float>& example,
                    tensor::Arena& scratch) const {
  const std::int64_t n = example.query_tokens(), m = example.key_tokens();
  const std::int64_t live = example.live_query_count(0), live_keys = example.live_key_count(0);
  const tensor::MatrixView<float> plans = scratch.matrix<float>(n, example.heads * m);
  attention_.plans(layer, example, plans, scratch);
  if (config_.keep_plans && layer == 0)
    plans_[static_cast<std::size_t>(index)] =
        tensor::Tensor<float>({config_.layers, config_.heads, live, live_keys});
  for (std::int64_t head = 0; head < example.heads; ++head) {
    const tensor::MatrixView<float> plan = plans.block(0, head * m, live, live_keys);
    const std::int64_t place = layer * config_.heads + head;
    errors_[static_cast<std::size_t>(index * config_.layers * config_.heads + place)] =
        transport::marginal_errors<float>(plan).column_mean;
    if (!config_.keep_plans) continue;
    const tensor::MatrixView<float> kept = plans_[static_cast<std::size_t>(index)].rows();
    for (std::int64_t i = 0; i < live; ++i)
      std::ranges::copy(plan.row(i), kept.row(place * live + i).begin());
  }
}

std::span<const double> PlanProbe::column_errors(std::int64_t example) const {
  const auto heads = static_cast<std::size_t>(config_.layers * config_.heads);
  return std::span(errors_).subspan(static_cast<std::size_t>(example) * heads, heads);
}

tensor::Tensor<float> PlanProbe::kept_plans(std::int64_t example) const {
  return plans_[static_cast<std::size_t>(example)];
}

}  // namespace asap::predict
