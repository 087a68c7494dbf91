#include "infer/kernel_choice.h"

namespace asap {

template <class T>
std::unique_ptr<AttentionKernel<T>> make_attention_kernel(const AttentionConfig& config) {
  switch (config.kind) {
    case AttentionKind::softmax:
      return make_softmax_kernel<T>();
    case AttentionKind::sinkhorn:
      return make_sinkhorn_kernel<T>(config.iterations,
                                     config.gradient == SinkhornGradient::implicit);
    case AttentionKind::sinkformer:
      return make_sinkformer_kernel<T>(config.iterations);
    case AttentionKind::espformer:
      return make_espformer_kernel<T>(
          config.slices, {config.sort_inverse_temperature, config.slice_inverse_temperature});
    case AttentionKind::lotformer:
      return make_lotformer_kernel<T>(config.pivots, config.iterations);
    case AttentionKind::differential:
      return make_differential_kernel<T>();
  }
  throw InternalError("make_attention_kernel: unknown kind");
}

template std::unique_ptr<AttentionKernel<float>> make_attention_kernel(const AttentionConfig&);
template std::unique_ptr<AttentionKernel<double>> make_attention_kernel(const AttentionConfig&);

}  // namespace asap
