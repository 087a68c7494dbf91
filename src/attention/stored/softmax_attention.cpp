#include "attention/stored/softmax_attention.h"

#include <algorithm>

#include "attention/stored/scaling_kernels.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

// From 1024 x 1024 on, a plan comes back from main memory, which takes as long as computing it
// again.
constexpr std::int64_t kLargePlan = std::int64_t{1} << 20;  // entries
constexpr std::int64_t kBlockEntries = std::int64_t{1}
                                       << 16;  // two such blocks fit the second cache
constexpr std::int64_t kLeastRows = 32;  // fewer would spend their time packing keys and values

/// Room for [n, m]. Rows begin on cache lines: a masked store at the end of one must not touch the
/// next, or the processor makes the next row wait for it.
template <class T>
tensor::MatrixView<T> padded_matrix(const AttentionHead<T>& head, tensor::Arena& arena) {
  const std::int64_t n = head.queries.rows, m = head.keys.rows, stride = padded_columns<T>(m);
  return {arena.take<T>(n * stride), n, m, stride};
}

template <class T>
tensor::MatrixView<T> softmax_plan(const AttentionHead<T>& head, tensor::Arena& arena) {
  const tensor::MatrixView<T> plan = padded_matrix<T>(head, arena);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, head.scale, head.queries,
                  head.keys, T(0), plan, head.precision);
  tensor::softmax_rows<T>(plan, plan);
  return plan;
}

/// Gradients of some rows of queries, which are set or added to as `query_beta` says, and their
/// part of the gradients of all keys and values.
template <class T>
void pull_back(const AttentionHead<T>& head, tensor::MatrixView<const T> plan,
               tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
               T query_beta, T key_beta, tensor::Arena& scratch) {
  const tensor::MatrixView<T> d_scores = padded_matrix<T>(head, scratch);
  tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(1), plan, output_gradient,
                  key_beta, gradients.values, head.precision);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), output_gradient, head.values,
                  T(0), d_scores, head.precision);
  tensor::softmax_rows_vjp<T>(plan, d_scores, d_scores, false);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, head.scale, d_scores, head.keys,
                  query_beta, gradients.queries, head.precision);
  tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, head.scale, d_scores, head.queries,
                  key_beta, gradients.keys, head.precision);
}

/// Calls body(first, count) for blocks of rows of the plan.
template <class T, class Body>
void for_each_row_block(const AttentionHead<T>& head, const Body& body) {
  const std::int64_t keys = std::max<std::int64_t>(head.keys.rows, 1);
  const std::int64_t rows = std::max(kBlockEntries / keys / 8 * 8, kLeastRows);
  for (std::int64_t first = 0; first < head.queries.rows; first += rows)
    body(first, std::min(rows, head.queries.rows - first));
}

template <class M>
M rows_of(const M& matrix, std::int64_t first, std::int64_t count) {
  return matrix.block(first, 0, count, matrix.cols);
}

}  // namespace

template <class T>
tensor::MatrixView<T> softmax_attention(const AttentionHead<T>& head, tensor::MatrixView<T> output,
                                        tensor::Arena& arena) {
  const tensor::MatrixView<T> plan = softmax_plan(head, arena);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), plan, head.values, T(0),
                  output, head.precision);
  return plan;
}

template <class T>
void softmax_attention_vjp(const AttentionHead<T>& head, tensor::MatrixView<const T> plan,
                           tensor::MatrixView<const T> output_gradient,
                           const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const T beta = gradients.accumulate ? T(1) : T(0);
  pull_back(head, plan, output_gradient, gradients, beta, beta, scratch);
}

bool softmax_plan_is_large(std::int64_t n, std::int64_t m) { return n * m >= kLargePlan; }

template <class T>
void blocked_softmax_attention(const AttentionHead<T>& head, tensor::MatrixView<T> output,
                               tensor::Arena& scratch) {
  for_each_row_block(head, [&](std::int64_t first, std::int64_t count) {
    const tensor::ArenaScope scope(scratch);
    AttentionHead<T> block = head;
    block.queries = rows_of(head.queries, first, count);
    softmax_attention<T>(block, rows_of(output, first, count), scratch);
  });
}

template <class T>
void blocked_softmax_attention_vjp(const AttentionHead<T>& head,
                                   tensor::MatrixView<const T> output_gradient,
                                   const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  const T beta = gradients.accumulate ? T(1) : T(0);
  for_each_row_block(head, [&](std::int64_t first, std::int64_t count) {
    const tensor::ArenaScope scope(scratch);
    AttentionHead<T> block = head;
    block.queries = rows_of(head.queries, first, count);
    HeadGradients<T> block_gradients = gradients;
    block_gradients.queries = rows_of(gradients.queries, first, count);
    const tensor::MatrixView<T> plan = softmax_plan(block, scratch);
    pull_back<T>(block, plan, rows_of(output_gradient, first, count), block_gradients, beta,
                 first == 0 ? beta : T(1), scratch);
  });
}

#define ASAP_INSTANTIATE(T)                                                                    \
  template tensor::MatrixView<T> softmax_attention<T>(const AttentionHead<T>&,                 \
                                                      tensor::MatrixView<T>, tensor::Arena&);  \
  template void softmax_attention_vjp<T>(const AttentionHead<T>&, tensor::MatrixView<const T>, \
                                         tensor::MatrixView<const T>, const HeadGradients<T>&, \
                                         tensor::Arena&);                                      \
  template void blocked_softmax_attention<T>(const AttentionHead<T>&, tensor::MatrixView<T>,   \
                                             tensor::Arena&);                                  \
  template void blocked_softmax_attention_vjp<T>(const AttentionHead<T>&,                      \
                                                 tensor::MatrixView<const T>,                  \
                                                 const HeadGradients<T>&, tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
