#pragma once

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// The pieces that sliced soft-sort attention and its gradient are made of (see
/// espformer_attention.h).

/// Sets every entry of x to 0.
template <class T>
void clear(tensor::MatrixView<T> x) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (T& entry : x.row(i)) entry = T(0);
}

/// Projections of tokens on one slice, as they lie and sorted.
template <class T>
struct SortedLine {
  tensor::VectorView<T> values;  // [n]
  tensor::VectorView<T> sorted;  // [n], ascending
  // [n], sorted[r] = values[order[r]]; empty unless ordered_line made it
  tensor::VectorView<std::int32_t> order;
};

/// tokens: [n, D], slice: [1, D]. ordered_line knows the order too, which only gradients need.
template <class T>
SortedLine<T> sorted_line(tensor::MatrixView<const T> tokens, tensor::MatrixView<const T> slice,
                          tensor::Arena& arena);
template <class T>
SortedLine<T> ordered_line(tensor::MatrixView<const T> tokens, tensor::MatrixView<const T> slice,
                           tensor::Arena& arena);

/// Rows [first, first + block.rows) of the soft permutation P_ri ∝ exp(-beta (s_(r) - s_i)²) before
/// their division by the sums, whose inverses go to `inverse_sums`. Each row holds exp(0) = 1, so
/// no sum is small. block: [rows, n], inverse_sums: [rows].
template <class T>
void soft_permutation(const SortedLine<T>& line, T beta, std::int64_t first,
                      tensor::MatrixView<T> block, tensor::VectorView<T> inverse_sums);

/// d_values: [n], the gradient of line.values, through the sorted ones too. `permutation`: P, rows
/// summing to 1; `gradient`: that of P, used up; both [n, n]. `line` must be an ordered one.
template <class T>
void soft_permutation_vjp(const SortedLine<T>& line, T beta,
                          tensor::MatrixView<const T> permutation, tensor::MatrixView<T> gradient,
                          tensor::VectorView<T> d_values);

/// out = C sorted, C_rc = n |[r/n, (r+1)/n] ∩ [c/m, (c+1)/m]|: what rank r of n receives from ranks
/// of m. sorted: [m, W], out: [n, W].
template <class T>
void couple_ranks(tensor::MatrixView<const T> sorted, tensor::MatrixView<T> out);
/// d_sorted = Cᵀ gradient. gradient: [n, W], d_sorted: [m, W].
template <class T>
void couple_ranks_vjp(tensor::MatrixView<const T> gradient, tensor::MatrixView<T> d_sorted);

/// What keys and queries carry through the soft permutations.
template <class T>
struct CarriedTokens {
  tensor::MatrixView<T> keys;     // [V | K | |k|²] or, without costs, V: [m, W]
  tensor::MatrixView<T> queries;  // [Q | |q|²]: [n, D + 1]; empty without costs

  bool with_costs() const { return queries.data != nullptr; }
};
template <class T>
CarriedTokens<T> carry_tokens(const AttentionHead<T>& head, bool with_costs, tensor::Arena& arena);

}  // namespace asap::attention
