#include "attention/attention_kernel.h"

#include <new>
#include <type_traits>

#include "attention/scaling_kernels.h"
#include "attention/sinkhorn_attention.h"
#include "attention/softmax_attention.h"
#include "attention/tiled_attention.h"
#include "tensor/elementwise.h"

namespace asap {
namespace {

/// Number of plan entries from which tiles beat a stored plan.
constexpr std::int64_t kTiledSoftmaxFrom = std::int64_t{128} * 128;

template <class T>
class SoftmaxKernel final : public AttentionKernel<T> {
 public:
  using State = typename AttentionKernel<T>::State;

  State forward(const AttentionHead<T>& head, MatrixView<T> output, Arena& arena,
                AttentionEvidence& evidence) const override {
    ++evidence.heads;
    if (is_large(head)) {
      blocked_softmax_attention<T>(head, output, arena);
      return nullptr;
    }
    return softmax_attention<T>(head, output, arena).data;
  }

  void infer(const AttentionHead<T>& head, MatrixView<T> output, Arena& scratch) const override {
    if constexpr (std::is_same_v<T, float>)
      if (head.queries.rows * head.keys.rows >= kTiledSoftmaxFrom) {
        tiled_softmax_attention(head, 1, output, scratch);
        return;
      }
    AttentionKernel<T>::infer(head, output, scratch);
  }

  void vjp(const AttentionHead<T>& head, State state, MatrixView<const T>,
           MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           Arena& scratch) const override {
    if (is_large(head))
      return blocked_softmax_attention_vjp<T>(head, output_gradient, gradients, scratch);
    const MatrixView<const T> plan(static_cast<const T*>(state), head.queries.rows, head.keys.rows,
                                   padded_columns<T>(head.keys.rows));
    softmax_attention_vjp<T>(head, plan, output_gradient, gradients, scratch);
  }

  void plan(const AttentionHead<T>& head, MatrixView<T> plan, Arena& scratch) const override {
    const ArenaScope scope(scratch);
    MatrixView<T> output = scratch.matrix<T>(head.queries.rows, head.values.cols);
    const MatrixView<T> computed = softmax_attention<T>(head, output, scratch);
    for (std::int64_t i = 0; i < plan.rows; ++i)
      for (std::int64_t j = 0; j < plan.cols; ++j) plan(i, j) = computed(i, j);
  }

 private:
  static bool is_large(const AttentionHead<T>& head) {
    return softmax_plan_is_large(head.queries.rows, head.keys.rows);
  }
};

template <class T>
class SinkhornKernel final : public AttentionKernel<T> {
 public:
  using State = typename AttentionKernel<T>::State;

  SinkhornKernel(int iterations, bool implicit_gradient)
      : iterations_(iterations), implicit_gradient_(implicit_gradient) {}

  State forward(const AttentionHead<T>& head, MatrixView<T> output, Arena& arena,
                AttentionEvidence& evidence) const override {
    auto* state = new (arena.take<SinkhornState<T>>(1))
        SinkhornState<T>(sinkhorn_attention<T>(head, iterations_, output, arena));
    ++evidence.heads;
    evidence.column_error_sum += static_cast<double>(state->column_error);
    evidence.log_domain_heads += state->log_domain ? 1 : 0;
    evidence.underflows += state->underflows;
    return state;
  }

  void infer(const AttentionHead<T>& head, MatrixView<T> output, Arena& scratch) const override {
    if constexpr (std::is_same_v<T, float>)
      if (best_storage(head.queries.rows, head.keys.rows) == KernelStorage::recompute) {
        tiled_sinkhorn_attention(head, iterations_, {}, output, scratch);
        return;
      }
    AttentionKernel<T>::infer(head, output, scratch);
  }

  void vjp(const AttentionHead<T>& head, State state, MatrixView<const T> output,
           MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           Arena& scratch) const override {
    SinkhornState<T> own = *static_cast<const SinkhornState<T>*>(state);
    if (implicit_gradient_)
      sinkhorn_attention_implicit_vjp<T>(head, own, output, output_gradient, gradients, scratch);
    else
      sinkhorn_attention_vjp<T>(head, own, output, output_gradient, gradients, scratch);
  }

  void plan(const AttentionHead<T>& head, MatrixView<T> plan, Arena& scratch) const override {
    const ArenaScope scope(scratch);
    MatrixView<T> output = scratch.matrix<T>(head.queries.rows, head.values.cols);
    sinkhorn_plan<T>(sinkhorn_attention<T>(head, iterations_, output, scratch), plan);
  }

 private:
  int iterations_;
  bool implicit_gradient_;
};

}  // namespace

template <class T>
T AttentionKernel<T>::row_products(MatrixView<const T> a, MatrixView<const T> b) {
  T total = T(0);
  for (std::int64_t i = 0; i < a.rows; ++i) total += dot<T>(a.row(i), b.row(i));
  return total;
}

template <class T>
std::unique_ptr<AttentionKernel<T>> make_softmax_kernel() {
  return std::make_unique<SoftmaxKernel<T>>();
}

template <class T>
std::unique_ptr<AttentionKernel<T>> make_sinkhorn_kernel(int iterations, bool implicit_gradient) {
  check(iterations >= 0, "make_sinkhorn_kernel: negative number of iterations");
  return std::make_unique<SinkhornKernel<T>>(iterations, implicit_gradient);
}

template class AttentionKernel<float>;
template class AttentionKernel<double>;
template std::unique_ptr<AttentionKernel<float>> make_softmax_kernel();
template std::unique_ptr<AttentionKernel<double>> make_softmax_kernel();
template std::unique_ptr<AttentionKernel<float>> make_sinkhorn_kernel(int, bool);
template std::unique_ptr<AttentionKernel<double>> make_sinkhorn_kernel(int, bool);

}  // namespace asap
