#pragma once

#include "attention/compiled/compiled_features.h"

namespace asap::attention {

/// The part of the compiled row dual f̂ that is known before the scores: all features of `map` but
/// `log_sum_exp`, weighted and added up, in base 2 (f̂ log2 e), up to a constant. The same numbers
/// as dual_features, computed without centred copies of queries and keys. row_dual: [at least n],
/// of which n values are written. Returns the weight of the feature log_sum_exp.
float predict_before_log_sum_exp(const DualMap<float>& map, const AttentionHead<float>& head,
                                 tensor::VectorView<float> row_dual, tensor::Arena& scratch);

}  // namespace asap::attention
