#include "attention/sinkformer_attention.h"

#include "attention/attention_kernel.h"
#include "attention/scaling_kernels.h"
#include "attention/softmax_attention.h"

namespace asap {
namespace {

/// Sinkhorn attention but for its gradient.
template <class T>
class SinkformerKernel final : public AttentionKernel<T> {
 public:
  using State = typename AttentionKernel<T>::State;

  explicit SinkformerKernel(int iterations) : sinkhorn_(make_sinkhorn_kernel<T>(iterations)) {}

  State forward(const AttentionHead<T>& head, MatrixView<T> output, Arena& arena,
                AttentionEvidence& evidence) const override {
    return sinkhorn_->forward(head, output, arena, evidence);
  }

  void infer(const AttentionHead<T>& head, MatrixView<T> output, Arena& scratch) const override {
    sinkhorn_->infer(head, output, scratch);
  }

  void vjp(const AttentionHead<T>& head, State state, MatrixView<const T>,
           MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           Arena& scratch) const override {
    sinkformer_attention_vjp<T>(head, *static_cast<const SinkhornState<T>*>(state), output_gradient,
                                gradients, scratch);
  }

  void plan(const AttentionHead<T>& head, MatrixView<T> plan, Arena& scratch) const override {
    sinkhorn_->plan(head, plan, scratch);
  }

 private:
  std::unique_ptr<AttentionKernel<T>> sinkhorn_;
};

}  // namespace

template <class T>
void sinkformer_attention_vjp(const AttentionHead<T>& head, const SinkhornState<T>& state,
                              MatrixView<const T> output_gradient,
                              const HeadGradients<T>& gradients, Arena& scratch) {
  const ArenaScope scope(scratch);
  const std::int64_t n = state.kernel.rows, m = state.kernel.cols, stride = padded_columns<T>(m);
  const MatrixView<T> plan(scratch.take<T>(n * stride), n, m, stride);
  sinkhorn_plan<T>(state, plan);
  softmax_attention_vjp<T>(head, plan, output_gradient, gradients, scratch);
}

template <class T>
std::unique_ptr<AttentionKernel<T>> make_sinkformer_kernel(int iterations) {
  return std::make_unique<SinkformerKernel<T>>(iterations);
}

#define ASAP_INSTANTIATE(T)                                                                        \
  template void sinkformer_attention_vjp<T>(const AttentionHead<T>&, const SinkhornState<T>&,      \
                                            MatrixView<const T>, const HeadGradients<T>&, Arena&); \
  template std::unique_ptr<AttentionKernel<T>> make_sinkformer_kernel(int);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
