#include "attention/stored/softmax_attention.h"

#include <algorithm>

#include "attention/stored/scaling_kernels.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap {
namespace {

// From 1024 x 1024 on, a plan comes back from main memory, which takes as long as computing it again.
constexpr std::int64_t kLargePlan = std::int64_t{1} << 20;     // entries
constexpr std::int64_t kBlockEntries = std::int64_t{1} << 16;  // two such blocks fit the second cache
constexpr std::int64_t kLeastRows = 32;  // fewer would spend their time packing keys and values

/// Room for [n, m]. Rows begin on cache lines: a masked store at the end of one must not touch the next, or
/// the processor makes the next row wait for it.
template <class T>
MatrixView<T> padded_matrix(const AttentionHead<T>& head, Arena& arena) {
  const std::int64_t n = head.queries.rows, m = head.keys.rows, stride = padded_columns<T>(m);
  return {arena.take<T>(n * stride), n, m, stride};
}

template <class T>
MatrixView<T> softmax_plan(const AttentionHead<T>& head, Arena& arena) {
  const MatrixView<T> plan = padded_matrix<T>(head, arena);
  gemm<T>(Transpose::no, Transpose::yes, head.scale, head.queries, head.keys, T(0), plan);
  softmax_rows<T>(plan, plan);
  return plan;
}

/// Gradients of some rows of queries, which are set or added to as `query_beta` says, and their part of the
/// gradients of all keys and values.
template <class T>
void pull_back(const AttentionHead<T>& head, MatrixView<const T> plan,
               MatrixView<const T> output_gradient, const HeadGradients<T>& gradients, T query_beta,
               T key_beta, Arena& scratch) {
  const MatrixView<T> d_scores = padded_matrix<T>(head, scratch);
  gemm<T>(Transpose::yes, Transpose::no, T(1), plan, output_gradient, key_beta, gradients.values);
  gemm<T>(Transpose::no, Transpose::yes, T(1), output_gradient, head.values, T(0), d_scores);
  softmax_rows_vjp<T>(plan, d_scores, d_scores, false);
  gemm<T>(Transpose::no, Transpose::no, head.scale, d_scores, head.keys, query_beta,
          gradients.queries);
  gemm<T>(Transpose::yes, Transpose::no, head.scale, d_scores, head.queries, key_beta,
          gradients.keys);
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
MatrixView<T> softmax_attention(const AttentionHead<T>& head, MatrixView<T> output, Arena& arena) {
  const MatrixView<T> plan = softmax_plan(head, arena);
  gemm<T>(Transpose::no, Transpose::no, T(1), plan, head.values, T(0), output);
  return plan;
}

template <class T>
void softmax_attention_vjp(const AttentionHead<T>& head, MatrixView<const T> plan,
                           MatrixView<const T> output_gradient,
                           const HeadGradients<T>& gradients, Arena& scratch) {
  const ArenaScope scope(scratch);
  const T beta = gradients.accumulate ? T(1) : T(0);
  pull_back(head, plan, output_gradient, gradients, beta, beta, scratch);
}

bool softmax_plan_is_large(std::int64_t n, std::int64_t m) { return n * m >= kLargePlan; }

template <class T>
void blocked_softmax_attention(const AttentionHead<T>& head, MatrixView<T> output, Arena& scratch) {
  for_each_row_block(head, [&](std::int64_t first, std::int64_t count) {
    const ArenaScope scope(scratch);
    AttentionHead<T> block = head;
    block.queries = rows_of(head.queries, first, count);
    softmax_attention<T>(block, rows_of(output, first, count), scratch);
  });
}

template <class T>
void blocked_softmax_attention_vjp(const AttentionHead<T>& head,
                                   MatrixView<const T> output_gradient,
                                   const HeadGradients<T>& gradients, Arena& scratch) {
  const T beta = gradients.accumulate ? T(1) : T(0);
  for_each_row_block(head, [&](std::int64_t first, std::int64_t count) {
    const ArenaScope scope(scratch);
    AttentionHead<T> block = head;
    block.queries = rows_of(head.queries, first, count);
    HeadGradients<T> block_gradients = gradients;
    block_gradients.queries = rows_of(gradients.queries, first, count);
    const MatrixView<T> plan = softmax_plan(block, scratch);
    pull_back<T>(block, plan, rows_of(output_gradient, first, count), block_gradients, beta,
                 first == 0 ? beta : T(1), scratch);
  });
}

#define ASAP_INSTANTIATE(T)                                                                      \
  template MatrixView<T> softmax_attention<T>(const AttentionHead<T>&, MatrixView<T>, Arena&);   \
  template void softmax_attention_vjp<T>(const AttentionHead<T>&, MatrixView<const T>,           \
                                         MatrixView<const T>, const HeadGradients<T>&, Arena&);  \
  template void blocked_softmax_attention<T>(const AttentionHead<T>&, MatrixView<T>, Arena&);    \
  template void blocked_softmax_attention_vjp<T>(const AttentionHead<T>&, MatrixView<const T>,   \
                                                 const HeadGradients<T>&, Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
