#pragma once

#include <algorithm>

#include "attention/stored/sinkhorn_attention.h"

namespace asap::attention {

/// The Gibbs kernel of one head as blocks of rows: one block where it exists as a whole
/// (GibbsLifetime::kept, released), else blocks that fit the second cache and that every pass
/// computes again from queries, keys and the shifts of the state (GibbsLifetime::blocks).
///
/// begin() or restore() comes first. Vectors over columns are padded as in scaling_kernels.h. T is
/// float or double.
template <class T>
class GibbsRows {
 public:
  /// Lives in `scratch`, as long as `head` and `state` do.
  GibbsRows(const AttentionHead<T>& head, SinkhornState<T>& state, tensor::Arena& scratch);

  /// Forward: the shifts of the state, K, v^0, u^0 and column_sum_j = sum_i u^0_i K_ij: [padded m].
  void begin(tensor::VectorView<T> column_sum);
  /// Backward: K again, if it was released.
  void restore();

  /// u_i = 1 / sum_j K_ij v_j, then column_sum_j = sum_i u_i K_ij.
  void scaling_sweep(tensor::VectorView<const T> v, tensor::VectorView<T> u,
                     tensor::VectorView<T> column_sum) const;
  /// w_i = factor_i * sum_j K_ij x_j, then column_sum_j = sum_i w_i K_ij.
  void adjoint_sweep(tensor::VectorView<const T> x, tensor::VectorView<const T> factor,
                     tensor::VectorView<T> w, tensor::VectorView<T> column_sum) const;
  /// column_sum_j = sum_i w_i K_ij.
  void weighted_column_sum(tensor::VectorView<const T> w, tensor::VectorView<T> column_sum) const;
  /// out = K x. x: [m, W], out: [n, W].
  void times(tensor::MatrixView<const T> x, tensor::MatrixView<T> out) const;
  /// out = Kᵀ x. x: [n, W], out: [m, W].
  void transposed_times(tensor::MatrixView<const T> x, tensor::MatrixView<T> out) const;

  /// Calls body(first, block) with K[first .. first + block.rows) for all rows, in blocks of which
  /// two fit the second cache.
  template <class Body>
  void for_each_cached_block(const Body& body) const {
    for_each_block(std::min(block_rows_, cached_rows()), body);
  }

 private:
  std::int64_t cached_rows() const;
  template <class Body>
  void for_each_block(std::int64_t rows, const Body& body) const {
    std::int64_t first = 0;
    do {  // once even without rows: results are zeros then
      body(first, block(first, std::min(rows, head_.queries.rows - first)));
      first += rows;
    } while (first < head_.queries.rows);
  }
  template <class Sweep>
  void add_sweeps(tensor::VectorView<T> column_sum, const Sweep& sweep) const;
  tensor::MatrixView<T> rows_of_block(std::int64_t first, std::int64_t count) const;
  tensor::MatrixView<const T> block(std::int64_t first, std::int64_t count) const;
  void compute_scores(std::int64_t first, tensor::MatrixView<T> block) const;
  void compute(std::int64_t first, tensor::MatrixView<T> block) const;

  const AttentionHead<T>& head_;
  SinkhornState<T>& state_;
  tensor::MatrixView<T> memory_;         // K: [n, m], or one block: [block_rows_, m]
  std::int64_t block_rows_ = 0;          // n where K exists as a whole
  tensor::VectorView<T> block_columns_;  // column sums of one block: [padded m]
};

}  // namespace asap::attention
