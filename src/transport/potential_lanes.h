#pragma once

#include "tensor/core/arena.h"
#include "tensor/core/view.h"

namespace asap::transport {

/// Exact one-dimensional Kantorovich potentials of several short pairs of samples at once: one SIMD
/// lane per pair, sorted by Batcher's odd-even merge network (Knuth, The Art of Computer
/// Programming 3, 5.3.4, algorithm M), whose comparisons do not depend on the data. For long
/// samples one sort after the other is faster.
inline constexpr std::int64_t kPotentialLanes = 16;
inline constexpr std::int64_t kLongestLaneSample = 512;

/// sum_i += sum over pairs l of weights_l phi_l(i), phi_l being kantorovich_potential_1d of s_l and
/// t_l. s: [L, n], t: [L, m], L at most kPotentialLanes, n and m from 1 to kLongestLaneSample; sum:
/// [n].
///
/// Values of s are rounded to a grid of 2^23 or 2^24 steps over their range, which is the precision
/// of the largest of them.
void add_kantorovich_potentials(tensor::MatrixView<const float> s,
                                tensor::MatrixView<const float> t,
                                tensor::VectorView<const float> weights,
                                tensor::VectorView<float> sum, tensor::Arena& scratch);

}  // namespace asap::transport
