#include "attention/kinds/attention_kinds.h"

namespace asap::attention {

template <class T>
std::unique_ptr<TrainableAttention<T>> make_attention(const config::AttentionConfig& config) {
  switch (config.kind) {
    case config::AttentionKind::softmax:
      return make_softmax_attention<T>();
    case config::AttentionKind::sinkhorn:
      return make_sinkhorn_attention<T>(config.iterations,
                                        config.gradient == config::SinkhornGradient::implicit,
                                        {config.slack, config.slack_start});
    case config::AttentionKind::sinkformer:
      return make_sinkformer_attention<T>(config.iterations);
    case config::AttentionKind::espformer:
      return make_espformer_attention<T>(
          config.slices, {config.sort_inverse_temperature, config.slice_inverse_temperature});
    case config::AttentionKind::lotformer:
      return make_lotformer_attention<T>(config.pivots, config.iterations);
    case config::AttentionKind::differential:
      return make_differential_attention<T>();
  }
  throw base::InternalError("make_attention: unknown kind");
}

template std::unique_ptr<TrainableAttention<float>> make_attention(const config::AttentionConfig&);
template std::unique_ptr<TrainableAttention<double>> make_attention(const config::AttentionConfig&);

}  // namespace asap::attention
