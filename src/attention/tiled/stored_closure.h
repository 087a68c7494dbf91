#pragma once

#include "attention/tiled/sweep_iterations.h"

namespace asap::attention {

/// Whether close_stored_rows is meant for maps with these features: landmarks need tiles, and a
/// dual that is known before the scores is closed in one pass over them.
inline bool fits_stored_rows(const DualFeatures& features) {
  return features.landmarks == 0 && !features.known_before_scores();
}

/// The compiled operator on a Gibbs kernel that is stored in whole rows, as Sinkhorn's loop stores
/// it for training: the fastest form for short sequences, whose tiles would be mostly edges. The
/// kernel has the shifts of rows and columns of score_shifts, so that only row sums without the
/// shift of the columns (`log_sum_exp`) can leave the range of float.
///
/// `iterations` as in finish_kept, without slack; where the bound exceeds the limit of loop_guard,
/// the teacher's whole loop runs on the same kernel. Single-threaded. n and m > 0. Returns false,
/// with an undefined output, when the exp domain could have lost plan entries that matter. output:
/// [n, Dv].
bool close_stored_rows(const DualMap<float>& map, const AttentionHead<float>& head,
                       const Iterations& iterations, tensor::MatrixView<float> output,
                       tensor::Arena& scratch, ColumnCertificate& certificate);

}  // namespace asap::attention
