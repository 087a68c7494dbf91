#pragma once

#include <limits>

#include "attention/compiled/column_guard.h"
#include "attention/compiled/compiled_features.h"
#include "attention/tiled/gibbs_sweep.h"

namespace asap::attention {

/// How a tiled form works. Attention at inference, float only: no state is left for a backward
/// pass.
using TiledOptions = SweepOptions;

/// Evidence of one head of a tiled form.
struct TiledEvidence {
  /// Sums came too near to the limits of float, and the head was computed again in the log domain.
  bool log_domain = false;
  /// The pass over columns (see apply_closed_row_dual) underflowed too far, and the head was
  /// computed again with a shift of its own for each row, as by a map that has `log_sum_exp`.
  bool repeated = false;
  /// Of the guarded and bounded forms; the others measure nothing.
  ColumnCertificate certificate = {};
};

/// The storage that measures best for a Gibbs kernel of n x m entries: kept while that takes at
/// most 64 MiB (as bfloat16 where products are in bfloat16), otherwise recomputed.
GibbsStorage best_storage(std::int64_t n, std::int64_t m,
                          ProductPrecision precision = ProductPrecision::single);

/// Softmax attention (Vaswani et al. 2017) without a second pass for maxima: a bound of the scores
/// is the shift (FlashAttention's tiling, Dao et al. 2022). output: [n, Dv], zero when there is no
/// key.
TiledEvidence tiled_softmax_attention(const AttentionHead<float>& head, int threads,
                                      tensor::MatrixView<float> output, tensor::Arena& scratch,
                                      ProductPrecision precision = ProductPrecision::single);

/// Sinkhorn attention as sinkhorn_attention computes it: a row update from g = 0, then `iterations`
/// times (column, row). With GibbsStorage::recompute every iteration is one pass that recomputes
/// the scores; the last row update and the product with the values are one pass too.
TiledEvidence tiled_sinkhorn_attention(const AttentionHead<float>& head, int iterations,
                                       const TiledOptions& options,
                                       tensor::MatrixView<float> output, tensor::Arena& scratch);

/// Sinkhorn attention by the loop that measures best for its size on one thread: the stored form of
/// training while the Gibbs kernel takes at most 2 MiB, the tiled form beyond. Products in bfloat16
/// take the tiled form.
TiledEvidence fastest_sinkhorn_attention(const AttentionHead<float>& head, int iterations,
                                         tensor::MatrixView<float> output, tensor::Arena& scratch,
                                         ProductPrecision precision = ProductPrecision::single);

/// When a loop that was cut goes on.
struct LoopGuard {
  double limit = std::numeric_limits<double>::infinity();
  int whole = 0;  ///< iterations of the loop that was not cut
  /// A map that starts as that loop does gives way at once where ColumnCertificate::start_error
  /// exceeds this.
  double start_limit = std::numeric_limits<double>::infinity();

  /// An error that is NaN waits for the bound, which is NaN, too.
  bool gives_way_at_once(double start_error) const {
    return whole > 0 && start_error > start_limit;
  }
};

/// fastest_sinkhorn_attention that goes on to `guard.whole` iterations where the column error of
/// the plan one iteration before the last exceeds guard.limit. That bounds the error of the plan
/// behind the output, because no iteration makes a column error larger, and the sums behind it are
/// taken anyway. Needs 1 <= iterations <= guard.whole.
TiledEvidence guarded_sinkhorn_attention(const AttentionHead<float>& head, int iterations,
                                         const LoopGuard& guard, tensor::MatrixView<float> output,
                                         tensor::Arena& scratch,
                                         ProductPrecision precision = ProductPrecision::single);

/// The compiled operator (see compiled_attention): one pass for row sums and column sums, one for
/// the output, and one pass between them for each corrected or extra iteration. A map without
/// features of the scores and without iterations needs only one pass, whatever the storage:
/// apply_closed_row_dual.
TiledEvidence tiled_compiled_attention(const DualMap<float>& map, const AttentionHead<float>& head,
                                       int extra_iterations, const TiledOptions& options,
                                       tensor::MatrixView<float> output, tensor::Arena& scratch);

/// tiled_compiled_attention without extra iterations, to the byte, whose certificate is the bound
/// of bounded_compiled_attention: row sums that the last pass takes anyway tell it. Where it
/// exceeds guard.limit, the output is that of Sinkhorn's loop with guard.whole iterations instead,
/// which the certificate counts. Short sequences run it on the Gibbs kernel that is stored. A
/// relaxed loop that gives way at once has no bound: NaN.
TiledEvidence bounded_tiled_compiled_attention(const DualMap<float>& map,
                                               const AttentionHead<float>& head,
                                               const TiledOptions& options,
                                               tensor::MatrixView<float> output,
                                               tensor::Arena& scratch, const LoopGuard& guard = {});

/// The compiled operator whose certificate is the column error itself: one more pass measures it,
/// and is the next iteration where `guard` wants one. A map that tiled_compiled_attention closes in
/// one pass takes the two passes of other maps here; otherwise, where nothing is iterated, the
/// output is the same to the byte. With products in bfloat16 the error of a recomputed Gibbs kernel
/// is that of rounded scores.
TiledEvidence guarded_tiled_compiled_attention(
    const DualMap<float>& map, const AttentionHead<float>& head, const ColumnGuard& guard,
    const TiledOptions& options, tensor::MatrixView<float> output, tensor::Arena& scratch);

/// Softmax attention with a predicted bias for each key (see key_bias_attention): one pass, and one
/// more for each extra iteration. The Gibbs kernel is never kept.
TiledEvidence tiled_key_bias_attention(const DualMap<float>& map, const AttentionHead<float>& head,
                                       int extra_iterations, const TiledOptions& options,
                                       tensor::MatrixView<float> output, tensor::Arena& scratch);

}  // namespace asap::attention
