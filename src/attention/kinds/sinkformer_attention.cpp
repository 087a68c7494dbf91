#include "attention/kinds/sinkformer_attention.h"

#include "attention/kinds/attention_kinds.h"
#include "attention/stored/scaling_kernels.h"
#include "attention/stored/softmax_attention.h"

namespace asap::attention {
namespace {

/// Sinkhorn attention but for its gradient.
template <class T>
class TrainableSinkformer final : public TrainableAttention<T> {
 public:
  using State = typename TrainableAttention<T>::State;

  explicit TrainableSinkformer(int iterations)
      : sinkhorn_(make_sinkhorn_attention<T>(iterations)) {}

  State forward(const AttentionHead<T>& head, tensor::MatrixView<T> output, tensor::Arena& arena,
                AttentionEvidence& evidence) const override {
    return sinkhorn_->forward(head, output, arena, evidence);
  }

  void infer(const AttentionHead<T>& head, tensor::MatrixView<T> output,
             tensor::Arena& scratch) const override {
    sinkhorn_->infer(head, output, scratch);
  }

  void vjp(const AttentionHead<T>& head, State state, tensor::MatrixView<const T>,
           tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           tensor::Arena& scratch) const override {
    sinkformer_attention_vjp<T>(head, *static_cast<const SinkhornState<T>*>(state), output_gradient,
                                gradients, scratch);
  }

  void plan(const AttentionHead<T>& head, tensor::MatrixView<T> plan,
            tensor::Arena& scratch) const override {
    sinkhorn_->plan(head, plan, scratch);
  }

 private:
  std::unique_ptr<TrainableAttention<T>> sinkhorn_;
};

}  // namespace

template <class T>
void sinkformer_attention_vjp(const AttentionHead<T>& head, const SinkhornState<T>& state,
                              tensor::MatrixView<const T> output_gradient,
                              const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t n = state.gibbs.rows, m = state.gibbs.cols, stride = padded_columns<T>(m);
  const tensor::MatrixView<T> plan(scratch.take<T>(n * stride), n, m, stride);
  sinkhorn_plan<T>(state, plan);
  softmax_attention_vjp<T>(head, plan, output_gradient, gradients, scratch);
}

template <class T>
std::unique_ptr<TrainableAttention<T>> make_sinkformer_attention(int iterations) {
  return std::make_unique<TrainableSinkformer<T>>(iterations);
}

#define ASAP_INSTANTIATE(T)                                                                       \
  template void sinkformer_attention_vjp<T>(const AttentionHead<T>&, const SinkhornState<T>&,     \
                                            tensor::MatrixView<const T>, const HeadGradients<T>&, \
                                            tensor::Arena&);                                      \
  template std::unique_ptr<TrainableAttention<T>> make_sinkformer_attention(int);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
