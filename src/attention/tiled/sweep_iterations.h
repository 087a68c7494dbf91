#pragma once

#include "attention/compiled/column_guard.h"
#include "attention/tiled/dual_recursion.h"
#include "attention/tiled/gibbs_sweep.h"
#include "attention/tiled/slack_columns.h"
#include "attention/tiled/tiled_attention.h"

namespace asap::attention {

// What Sinkhorn's loop and the compiled operator do after their first pass over the Gibbs kernel.

/// A row update that makes rows sum to 1: f_i -= log2 of the row sum.
struct RowNormalisation {
  tensor::VectorView<float> row_dual;

  void operator()(std::int64_t first, std::int64_t count, const float* row_sums,
                  float* log_weights) const;
};

/// g_j += log2(mass) - log2(column sum), the column update in the log domain; the mass is left out,
/// because rows are normalised last.
void update_column_dual(const GibbsSweep& sweep, std::int64_t m, const SlackColumns& slack,
                        tensor::VectorView<float> column_dual, tensor::Arena& scratch);

/// What follows the first pass: corrected iterations, then plain ones, then the closure.
struct Iterations {
  DualRecursion* recursion = nullptr;  ///< null without corrections
  int corrections = 0;
  int plain = 0;
  SlackColumns slack{};
  const ColumnGuard* guard = nullptr;     ///< null unless the column error is to be measured
  const LoopGuard* loop_guard = nullptr;  ///< null unless a cut loop may go on
  /// Null unless the first pass is that of a loop which may take over at once.
  const LoopGuard* start_guard = nullptr;
  bool bound = false;  ///< the row error before the last row update is wanted

  /// The row update of corrected iteration t, of rows that have this offset.
  auto correction(int t, tensor::VectorView<const float> row_offset) const {
    return [this, t, row_offset](std::int64_t first, std::int64_t count, const float* row_sums,
                                 float* log_weights) {
      recursion->correct(t, first, count, row_offset, row_sums, log_weights);
    };
  }

  /// Plain iterations that follow the ones up to the last where the error before that one is known.
  int more(double error, ColumnCertificate& certificate) const;
};

/// The column update of the column sums in `sweep`, the iterations, and the product with the
/// values, which includes the last row update. row_offset: of the kept Gibbs kernel. Where
/// start_guard lets a loop take over, nothing is done, and the column error is NaN.
ColumnCertificate finish_kept(GibbsSweep& sweep, const TiledHead& tiled,
                              const Iterations& iterations,
                              tensor::VectorView<const float> row_offset,
                              tensor::MatrixView<const float> values,
                              tensor::MatrixView<float> output, tensor::Arena& scratch);

/// The same without a kept Gibbs kernel. row_dual: the exponents of the rows behind the column
/// sums.
ColumnCertificate finish_recomputing(GibbsSweep& sweep, const TiledHead& tiled,
                                     const Iterations& iterations,
                                     tensor::VectorView<float> row_dual,
                                     tensor::MatrixView<const float> values,
                                     tensor::MatrixView<float> output, tensor::Arena& scratch);

}  // namespace asap::attention
