#pragma once

#include "attention/compiled/compiled_features.h"
#include "attention/tiled/tiled_head.h"

namespace asap::attention {

/// The weights of a stage of the dual map (see DualMap) that multiply features of the scores.
struct ScoreWeights {
  float log_sum_exp = 0;
  float first_dual = 0;
};
ScoreWeights score_weights(const DualMap<float>& map, int stage);

/// What is known of Φ w_t, t = 0..k, before the scores: all features of `map` but `log_sum_exp` and
/// `first_dual`, weighted and added up, in base 2 (times log2 e), up to a constant. The same numbers
/// as dual_features. `tiled` is `head`, centred. known: [k + 1, at least n], of which n columns are
/// written.
void predict_before_scores(const DualMap<float>& map, const AttentionHead<float>& head,
                           const TiledHead& tiled, tensor::MatrixView<float> known,
                           tensor::Arena& scratch);

}  // namespace asap::attention
