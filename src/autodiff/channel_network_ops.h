#pragma once

#include "activation/region_unfolding.h"
#include "autodiff/tape.h"

namespace asap::autodiff {

/// A ReLU network of one input and one output for every channel, applied to each value of x (see
/// tensor/kernels/channel_networks.h). x: [..., channels]; weights: [20 depth - 7, channels];
/// result: the shape of x.
template <class T>
Var<T> channel_networks(Var<T> x, Var<T> weights, int depth);

/// The weights of region-constrained channel networks from their peaks (see
/// activation/region_unfolding.h). peaks: [depth + 4, channels]; result: [20 depth - 7, channels].
template <class T>
Var<T> unfold_regions(Var<T> peaks, const activation::RegionInterval& interval);

}  // namespace asap::autodiff
