#include "autodiff/attention_ops.h"

#include <algorithm>
#include <cmath>

#include "attention/attention_batch.h"
#include "tensor/elementwise.h"
#include "tensor/row_ops.h"

namespace asap {
namespace {

template <class T>
AttentionBatch<T> unpack(const TensorView<const T>& qkv, const AttentionLayout& layout) {
  const MatrixView<const T> rows = qkv.rows();
  const std::int64_t width = rows.cols / 3;
  return {.queries = rows.block(0, 0, rows.rows, width),
          .keys = rows.block(0, width, rows.rows, width),
          .values = rows.block(0, 2 * width, rows.rows, width),
          .examples = qkv.shape[0],
          .heads = layout.heads,
          .live_queries = layout.live,
          .live_keys = layout.live};
}

template <class T>
AttentionHead<T> head_of(const AttentionBatch<T>& batch, std::int64_t b, std::int64_t h,
                         const TensorView<const T>& log_epsilon) {
  const T scale = std::exp(-log_epsilon.data[h]) / std::sqrt(static_cast<T>(batch.head_width()));
  return {batch.head_queries(b, h), batch.head_keys(b, h), batch.head_values(b, h), scale};
}

/// The parts of a gradient [B, N, 3 W] that belong to one head of one example.
template <class T>
HeadGradients<T> gradients_of(const AttentionBatch<T>& batch, const TensorView<T>& gradient,
                              std::int64_t b, std::int64_t h, bool accumulate) {
  const std::int64_t width = gradient.shape[2] / 3, head_width = batch.head_width();
  const auto part = [&](int index) {
    return gradient.rows().block(b * batch.query_tokens(), index * width + h * head_width,
                                 batch.live_query_count(b), head_width);
  };
  return {part(0), part(1), part(2), accumulate};
}

/// sum_i q_i . dq_i of the queries as already written by a kernel that did not accumulate.
template <class T>
T query_product(const MatrixView<const T>& queries, const MatrixView<const T>& gradient) {
  T total = T(0);
  for (std::int64_t i = 0; i < queries.rows; ++i) total += dot<T>(queries.row(i), gradient.row(i));
  return total;
}

}  // namespace

template <class T>
Var<T> attention(Var<T> qkv, Var<T> log_epsilon, const AttentionLayout& layout,
                 const AttentionKernel<T>& kernel, AttentionEvidence& evidence) {
  using State = typename AttentionKernel<T>::State;
  Tape<T>& tape = qkv.tape();
  const Shape shape = qkv.shape();
  check(shape.rank() == 3 && shape[2] % (3 * layout.heads) == 0, "attention: expected [B, N, 3 W]");
  const TensorView<T> out = tape.allocate({shape[0], shape[1], shape[2] / 3});
  const AttentionBatch<T> batch = unpack(qkv.value(), layout);
  State* states = tape.arena().template take<State>(batch.examples * batch.heads);
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t h = 0; h < batch.heads; ++h)
      states[b * batch.heads + h] =
          kernel.forward(head_of(batch, b, h, log_epsilon.value()),
                         batch.head_output(out.rows(), b, h), tape.arena(), evidence);
  clear_padded_rows(batch, out.rows());

  const AttentionKernel<T>* kernel_pointer = &kernel;
  return tape.record(out, {qkv, log_epsilon}, [=](Pullback<T>& p) {
    // The kernels write the head's block; zeros elsewhere are the gradient of padded tokens.
    const GradientSlot<T> slot = p.slot(0);
    check(!slot.accumulate, "attention: the packed projection has another consumer");
    if (!layout.live.empty()) std::fill_n(slot.view.data, slot.view.size(), T(0));
    VectorView<T> d_log_epsilon;
    if (p.wants(1)) {
      const GradientSlot<T> epsilon_slot = p.slot(1);
      d_log_epsilon = epsilon_slot.view.flat();
      if (!epsilon_slot.accumulate) std::ranges::fill(d_log_epsilon, T(0));
    }
    const AttentionBatch<T> batch = unpack(p.input(0), layout);
    const MatrixView<const T> output = p.output().rows();
    const MatrixView<const T> output_gradient = p.output_gradient().rows();
    for (std::int64_t b = 0; b < batch.examples; ++b)
      for (std::int64_t h = 0; h < batch.heads; ++h) {
        const AttentionHead<T> head = head_of(batch, b, h, p.input(1));
        const HeadGradients<T> gradients = gradients_of(batch, slot.view, b, h, false);
        kernel_pointer->vjp(head, states[b * batch.heads + h], batch.head_output(output, b, h),
                            batch.head_output(output_gradient, b, h), gradients, p.arena());
        // S is proportional to exp(-log_epsilon), so d log_epsilon = -<S, dS> = -sum_i q_i . dq_i.
        if (!d_log_epsilon.empty())
          d_log_epsilon[h] -= query_product<T>(head.queries, gradients.queries);
      }
  });
}

#define ASAP_INSTANTIATE(T)                                                               \
  template Var<T> attention<T>(Var<T>, Var<T>, const AttentionLayout&,                    \
                               const AttentionKernel<T>&, AttentionEvidence&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
