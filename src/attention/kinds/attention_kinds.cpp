#include "attention/kinds/attention_kinds.h"

namespace asap {

template <class T>
std::unique_ptr<TrainableAttention<T>> make_attention(const AttentionConfig& config) {
  switch (config.kind) {
    case AttentionKind::softmax:
      return make_softmax_attention<T>();
    case AttentionKind::sinkhorn:
      return make_sinkhorn_attention<T>(config.iterations,
                                     config.gradient == SinkhornGradient::implicit);
    case AttentionKind::sinkformer:
      return make_sinkformer_attention<T>(config.iterations);
    case AttentionKind::espformer:
      return make_espformer_attention<T>(
          config.slices, {config.sort_inverse_temperature, config.slice_inverse_temperature});
    case AttentionKind::lotformer:
      return make_lotformer_attention<T>(config.pivots, config.iterations);
    case AttentionKind::differential:
      return make_differential_attention<T>();
  }
  throw InternalError("make_attention: unknown kind");
}

template std::unique_ptr<TrainableAttention<float>> make_attention(const AttentionConfig&);
template std::unique_ptr<TrainableAttention<double>> make_attention(const AttentionConfig&);

}  // namespace asap
