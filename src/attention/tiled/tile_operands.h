#pragma once

#include "attention/tiled/tile_layout.h"
#include "tensor/core/arena.h"
#include "tensor/core/view.h"

namespace asap::attention {

// What tiles read, made from queries, keys and values (packed, centred, scaled, padded), and
// logarithms. Float only, vectorised for the processor at run time, single-threaded.

/// Centred, scaled keys in the order in which tiles read them: [round_up(m, 16) * D] values, key
/// block `index` from index * kKeyBlock * D on. packed_j = factor k_j - mean; padding is zero.
/// Returns the largest |packed_j|.
float pack_keys(tensor::MatrixView<const float> keys, float factor,
                tensor::VectorView<const float> mean, float* packed);

/// x_i = factor q_i - mean, row-major [round_up(n, kRowBlock), D] with zeros below, and norms_i =
/// |x_i|: [round_up(n, kRowBlock)].
void centre_queries(tensor::MatrixView<const float> queries, float factor,
                    tensor::VectorView<const float> mean, tensor::MatrixView<float> x,
                    tensor::VectorView<float> norms);

/// out_pi = directions_p . token_i. tokens: [n, D], directions: [P, D], out: [P, at least
/// round_up(n, 16)].
void project_tokens(tensor::MatrixView<const float> tokens,
                    tensor::MatrixView<const float> directions, tensor::MatrixView<float> out,
                    tensor::Arena& scratch);

/// The same for keys as pack_keys packs them: out_pj = directions_p . packed_j. out: [P, at least
/// round_up(m, 16)].
void project_keys(const float* packed, std::int64_t m, tensor::MatrixView<const float> directions,
                  tensor::MatrixView<float> out);

/// out: [m, round_up(width, 16)] = factors_j values_j, zeros behind each row.
void pack_values(tensor::MatrixView<const float> values, tensor::VectorView<const float> factors,
                 float* out);

/// out_i = log2 x_i and out_i = 2^x_i.
void log2_values(tensor::VectorView<const float> x, tensor::VectorView<float> out);
void exp2_values(tensor::VectorView<const float> x, tensor::VectorView<float> out);

}  // namespace asap::attention
