#pragma once

#include "attention/compiled/compiled_features.h"
#include "attention/tiled/tiled_head.h"

namespace asap::attention {

/// The stages f_0 .. f_k of the compiled row dual (see DualMap), in base 2, up to a constant, fed
/// with the row sums of passes over the Gibbs kernel. Rows are independent of each other, so passes
/// may do them in any order.
class DualRecursion {
 public:
  /// Lives in `arena`. Computes what is known before the scores.
  DualRecursion(const DualMap<float>& map, const AttentionHead<float>& head, const TiledHead& tiled,
                tensor::Arena& arena);

  /// True if f_0 needs no row sums.
  bool starts_known() const { return lse_weights_[0] == 0 && first_weights_[0] == 0; }
  /// The current stage: [padded rows], -infinity for rows that do not exist. Before `start`, what
  /// is known of f_0.
  tensor::VectorView<float> row_dual() const { return dual_; }
  /// The factors of the keys behind the second row sums of the first pass: [padded keys], or empty.
  /// Computed at the first call.
  tensor::VectorView<const float> second_factors();

  /// Rows [first, first + count) of f_0. row_sums: sum_j 2^(x_i . y_j + row_offset_i), second sums
  /// behind them (see RowUpdate); log_weights: f_0 - row_offset, [count].
  void start(std::int64_t first, std::int64_t count, tensor::VectorView<const float> row_offset,
             const float* row_sums, float* log_weights);
  /// Rows [first, first + count) of f_t. row_sums: sum_j 2^(x_i . y_j + row_offset_i + g_j) with
  /// the column dual g of f_(t-1); log_weights: f_t - row_offset.
  void correct(int stage, std::int64_t first, std::int64_t count,
               tensor::VectorView<const float> row_offset, const float* row_sums,
               float* log_weights);

 private:
  float exact_first_dual(std::int64_t row) const;
  /// Adds the features of scores with the weights of a stage to rows of the dual.
  void add_score_features(int stage, std::int64_t first, std::int64_t count);

  const DualMap<float>& map_;
  const AttentionHead<float>& head_;
  const TiledHead& tiled_;
  tensor::Arena& arena_;
  tensor::MatrixView<float> known_;        // [k + 1, padded rows]
  tensor::MatrixView<float> differences_;  // d_1 .. d_k: [k, padded rows]
  tensor::VectorView<float> dual_;         // [padded rows]
  tensor::VectorView<float> lse_, first_;  // the features of scores; empty unless used
  tensor::VectorView<float> lse_weights_, first_weights_;  // [k + 1]
  tensor::VectorView<float> first_exponents_;              // log2 of the factors: [M]
  tensor::VectorView<float> second_factors_;
};

}  // namespace asap::attention
