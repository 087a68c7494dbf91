#pragma once

#include <cstdint>
#include <vector>

#include "tensor/core/view.h"

namespace asap::evaluate {

/// Matches of one pair: for each keypoint of image 0 the partner in image 1, or -1, and how sure
/// the method is of it (0 without a partner). What a confidence means depends on the method.
struct Matches {
  std::vector<std::int32_t> partners;  ///< [N]
  std::vector<float> confidences;      ///< [N]
};

/// The classical methods, from the similarity of descriptors of length one (their inner products),
/// [N, M]. The distance of two descriptors is sqrt(2 - 2 similarity). The first of equal
/// candidates wins.

/// Pairs that are each other's nearest. Confidence: the similarity.
Matches match_mutual_nearest(tensor::MatrixView<const float> similarity);

/// Those of them whose distance is less than `ratio` times that to the second nearest in image 1
/// (Lowe 2004, section 7.1). Confidence: 1 - distance / second distance. With one candidate only,
/// there is nothing to compare with, and no match.
Matches match_by_ratio(tensor::MatrixView<const float> similarity, double ratio);

/// The assignment of largest total similarity, of which pairs with a similarity above `least` are
/// kept. Confidence: the similarity.
Matches match_by_assignment(tensor::MatrixView<const float> similarity, double least);

/// Mutual largest entries of an assignment above `threshold`. plan: [N, M], without dustbins.
/// Confidence: the entry.
Matches decode_plan(tensor::MatrixView<const float> plan, double threshold);

}  // namespace asap::evaluate
