#include "attention/kinds/sinkformer_attention.h"

#include "attention/kinds/attention_kinds.h"
#include "attention/stored/scaling_kernels.h"
#include "attention/stored/softmax_attention.h"

namespace asap {
namespace {

/// Sinkhorn attention but for its gradient.
template <class T>
class TrainableSinkformer final : public TrainableAttention<T> {
 public:
  using State = typename TrainableAttention<T>::State;

  explicit TrainableSinkformer(int iterations) : sinkhorn_(make_sinkhorn_attention<T>(iterations)) {}

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
  std::unique_ptr<TrainableAttention<T>> sinkhorn_;
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
std::unique_ptr<TrainableAttention<T>> make_sinkformer_attention(int iterations) {
  return std::make_unique<TrainableSinkformer<T>>(iterations);
}

#define ASAP_INSTANTIATE(T)                                                                        \
  template void sinkformer_attention_vjp<T>(const AttentionHead<T>&, const SinkhornState<T>&,      \
                                            MatrixView<const T>, const HeadGradients<T>&, Arena&); \
  template std::unique_ptr<TrainableAttention<T>> make_sinkformer_attention(int);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
