#pragma once

#include "attention/compiled/compiled_features.h"
#include "attention/tiled/tiled_head.h"

namespace asap::attention {

// The landmark dual of the tiled forms: landmark_dual in float, vectorised for the processor at run
// time, single-threaded.

/// nearest_j = the row p with the largest closeness_pj - offsets_p, the first of equal ones.
/// closeness: [P, at least round_up(count, 16)], nearest: [round_up(count, 16)].
void nearest_rows(tensor::MatrixView<const float> closeness,
                  tensor::VectorView<const float> offsets, std::int64_t count,
                  tensor::VectorView<std::int32_t> nearest);

/// The teacher's loop between n queries and a few clusters of keys, in base 2.
struct LandmarkLoop {
  std::int64_t n;
  int iterations;                          ///< T >= 1
  tensor::MatrixView<float> scores;        ///< x . c: [clusters, round_up(n, 16)]; used up
  tensor::VectorView<const float> sizes;   ///< keys of each cluster: [clusters]
  tensor::VectorView<float> factors;       ///< 2^start of each cluster, largest 1; used up
  tensor::VectorView<float> row_scalings;  ///< scratch: [round_up(n, 16)]
  /// Where the loop starts on the rows (Landmarks::starts_on_rows), the dual it starts from:
  /// [round_up(n, 16)]; otherwise empty.
  tensor::VectorView<const float> row_start = {};
};

/// dual: [round_up(n, 16)], up to a constant. False, with an undefined result, where sums left the
/// range in which float loses nothing that matters.
bool landmark_loop(const LandmarkLoop& loop, tensor::VectorView<float> dual);

/// landmark_dual of `head` in base 2, which `tiled` holds in centred coordinates. dual: [padded
/// rows], of which n values are written.
void tiled_landmark_dual(const Landmarks<float>& landmarks, const AttentionHead<float>& head,
                         const TiledHead& tiled, tensor::VectorView<float> dual,
                         tensor::Arena& scratch);

}  // namespace asap::attention
