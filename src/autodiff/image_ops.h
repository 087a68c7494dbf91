#pragma once

#include "autodiff/tape.h"

namespace asap::autodiff {

/// Convolution with stride 1 and zeros around the image (see tensor/kernels/convolution.h). x: [B,
/// height, width, inputs], filters: [outputs, side² inputs] with an odd side; result: [B, height,
/// width, outputs].
template <class T>
Var<T> convolution(Var<T> x, Var<T> filters);

/// Settings of batch_norm.
struct BatchNormSettings {
  double epsilon = 1e-5;  ///< added to the variance
  bool relu = false;      ///< ReLU follows
  /// What part of the whole batch these examples are; 0: not training.
  double batch_share = 0;
};

/// Batch normalisation of the last dimension of x (see tensor/kernels/batch_normalisation.h). x:
/// [..., C], gain and offset: [C], statistics: [2, C], the running mean and variance.
///
/// In training, x is normalised by its own moments m. The gradient of the statistics r is then
/// batch_share (r - m): summed over the parts of a batch it is that of |r - mean of m|² / 2, so a
/// step against it lets the running statistics follow those of the batches. Otherwise x is
/// normalised by the statistics, without a gradient.
template <class T>
Var<T> batch_norm(Var<T> x, Var<T> gain, Var<T> offset, Var<T> statistics,
                  const BatchNormSettings& settings);

/// The largest of 2 x 2 pixels, channel by channel (see tensor/kernels/max_pooling.h). x: [B,
/// height, width, C]; result: [B, height / 2, width / 2, C].
template <class T>
Var<T> max_pool(Var<T> x);

}  // namespace asap::autodiff
