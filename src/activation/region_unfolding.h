#pragma once

#include "tensor/core/view.h"

namespace asap::activation {

/// The interval in which the region-constrained networks of all channels have their regions. They
/// are linear outside.
struct RegionInterval {
  double low = -6, high = 6;
};

/// Rows of the constrained form of a network of depth d (Milkert, Hyde and Laine, ICML 2025,
/// Section 3, with the scales of Theorem 3.1): logits of the d + 1 peaks a_0..a_d, then offset c0,
/// slope c1 and amplitude A of
///   F(z) = c0 + c1 u + A sum_i s_i W_i(u),  u = (z - low) / (high - low),
///   W_i = T_{a_i}(W_{i-1}),  W_{-1} = u,  s_0 = a_0 (1 - a_0) a_1,  s_i = s_{i-1} (1 - a_i)
///   a_{i+1}.
/// A < 0 makes F convex. F has exactly 2^d linear regions on the interval for any peaks in (0, 1),
/// A != 0.
constexpr int region_rows(int depth) { return depth + 4; }
constexpr int region_depth(std::int64_t rows) { return static_cast<int>(rows) - 4; }

/// Writes the same functions as width-4 ReLU networks (see tensor/kernels/channel_networks.h) with
/// neurons [1 + sum / 32, t1, t2, one], all of them of size one. The first stays alive, and the
/// function exact, while the sum without c0 is above -32. peaks: [region_rows(depth), channels];
/// weights: [20 depth - 7, channels].
template <class T>
void unfold_regions(const RegionInterval& interval, tensor::MatrixView<const T> peaks,
                    tensor::MatrixView<T> weights);

/// The adjoint: dpeaks (added to, if `accumulate`) from dweights.
template <class T>
void unfold_regions_vjp(const RegionInterval& interval, tensor::MatrixView<const T> peaks,
                        tensor::MatrixView<const T> dweights, tensor::MatrixView<T> dpeaks,
                        bool accumulate);

}  // namespace asap::activation
