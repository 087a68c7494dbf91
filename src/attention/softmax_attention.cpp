#include "attention/softmax_attention.h"

#include "attention/scaling_kernels.h"
#include "tensor/gemm.h"
#include "tensor/row_ops.h"

namespace asap {
namespace {

/// Room for [n, m]. Rows begin on cache lines: a masked store at the end of one must not touch the next, or
/// the processor makes the next row wait for it.
template <class T>
MatrixView<T> padded_matrix(const AttentionHead<T>& head, Arena& arena) {
  const std::int64_t n = head.queries.rows, m = head.keys.rows, stride = padded_columns<T>(m);
  return {arena.take<T>(n * stride), n, m, stride};
}

}  // namespace

template <class T>
MatrixView<T> softmax_attention(const AttentionHead<T>& head, MatrixView<T> output, Arena& arena) {
  const MatrixView<T> plan = padded_matrix<T>(head, arena);
  gemm<T>(Transpose::no, Transpose::yes, head.scale, head.queries, head.keys, T(0), plan);
  softmax_rows<T>(plan, plan);
  gemm<T>(Transpose::no, Transpose::no, T(1), plan, head.values, T(0), output);
  return plan;
}

template <class T>
void softmax_attention_vjp(const AttentionHead<T>& head, MatrixView<const T> plan,
                           MatrixView<const T> output_gradient,
                           const HeadGradients<T>& gradients, Arena& scratch) {
  const ArenaScope scope(scratch);
  const T beta = gradients.accumulate ? T(1) : T(0);
  const MatrixView<T> d_scores = padded_matrix<T>(head, scratch);
  gemm<T>(Transpose::yes, Transpose::no, T(1), plan, output_gradient, beta, gradients.values);
  gemm<T>(Transpose::no, Transpose::yes, T(1), output_gradient, head.values, T(0), d_scores);
  softmax_rows_vjp<T>(plan, d_scores, d_scores, false);
  gemm<T>(Transpose::no, Transpose::no, head.scale, d_scores, head.keys, beta, gradients.queries);
  gemm<T>(Transpose::yes, Transpose::no, head.scale, d_scores, head.queries, beta, gradients.keys);
}

#define ASAP_INSTANTIATE(T)                                                                    \
  template MatrixView<T> softmax_attention<T>(const AttentionHead<T>&, MatrixView<T>, Arena&); \
  template void softmax_attention_vjp<T>(const AttentionHead<T>&, MatrixView<const T>,         \
                                         MatrixView<const T>, const HeadGradients<T>&, Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
