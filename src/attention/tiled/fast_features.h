#pragma once

#include "attention/compiled/compiled_features.h"

namespace asap::attention {

/// The part of the compiled row dual f̂ that is known before the row sums are: all features of `map`
/// but `row_sum`, weighted and added up, in base 2 (f̂ log2 e), up to a constant. The same numbers
/// as dual_features, computed without centred copies of queries and keys. row_dual: [at least n],
/// of which n values are written. Returns the weight of the feature row_sum.
float predict_before_row_sums(const DualMap<float>& map, const AttentionHead<float>& head,
                              tensor::VectorView<float> row_dual, tensor::Arena& scratch);

}  // namespace asap::attention
