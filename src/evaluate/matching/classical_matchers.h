#pragma once

#include "infer/matches.h"

namespace asap::evaluate {

/// The classical methods, from the similarity of descriptors of length one (their inner products),
/// [N, M]. The distance of two descriptors is sqrt(2 - 2 similarity). The first of equal
/// candidates wins.

/// Pairs that are each other's nearest. Confidence: the similarity.
infer::Matches match_mutual_nearest(tensor::MatrixView<const float> similarity);

/// Those of them whose distance is less than `ratio` times that to the second nearest in image 1
/// (Lowe 2004, section 7.1). Confidence: 1 - distance / second distance. With one candidate only,
/// there is nothing to compare with, and no match.
infer::Matches match_by_ratio(tensor::MatrixView<const float> similarity, double ratio);

/// The assignment of largest total similarity, of which pairs with a similarity above `least` are
/// kept. Confidence: the similarity.
infer::Matches match_by_assignment(tensor::MatrixView<const float> similarity, double least);

}  // namespace asap::evaluate
