#pragma once

#include "attention/interface/head_gradients.h"
#include "attention/tiled/tile_layout.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// Queries and keys of one head in the form in which tiles read them, in base 2: scores are x . y
/// with x_i = √c (q_i - q̄), y_j = √c (k_j - k̄), c = score_scale log2 e.
///
/// Centring the keys changes a score by a term of its query alone, which every row normalisation
/// absorbs. Centring the queries changes it by a term of its key, which matters where column duals
/// start from 0 in the coordinates of the head: Sinkhorn and softmax leave the queries where they
/// are.
struct TiledHead {
  std::int64_t n = 0, m = 0, inner = 0;  // N, M, D
  tensor::MatrixView<float> x;           // [round_up(n, kRowBlock), D], zeros below n
  tensor::VectorView<float>
      row_bound;                // [round_up(n, kRowBlock)]: no score of row i is larger in size
  const float* keys = nullptr;  // see pack_keys
  tensor::VectorView<float> query_mean;  // √c q̄, or zeros: [D]
  tensor::VectorView<float> key_mean;    // √c k̄: [D]

  std::int64_t padded_keys() const { return round_up(m, kTilePadding); }
  std::int64_t padded_rows() const { return round_up(n, kRowBlock); }
};

/// n and m > 0. The result lives in `arena`.
TiledHead tile_head(const AttentionHead<float>& head, bool centre_queries, tensor::Arena& arena);

/// k_j . q̄ score_scale log2 e, the scores of the mean query in base 2, which centring takes from
/// column j: [M]. The result lives in `arena`.
tensor::VectorView<float> mean_query_scores(const AttentionHead<float>& head, tensor::Arena& arena);

/// A shift s_i >= 0 for each row such that 2^(x_i . y_j - s_i) cannot overflow, however many
/// columns are added up: [round_up(n, kRowBlock)], as offsets (-s_i; -infinity for rows that do not
/// exist).
tensor::VectorView<float> safe_row_offsets(const TiledHead& head, tensor::Arena& arena);

/// Column offsets 0, and -infinity for padding: [padded_keys].
tensor::VectorView<float> zero_column_offsets(const TiledHead& head, tensor::Arena& arena);

}  // namespace asap::attention
