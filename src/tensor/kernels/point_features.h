#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// How many numbers point_features makes of one point.
constexpr std::int64_t point_feature_count(std::int64_t width, int frequencies) {
  return width * (1 + 2 * frequencies);
}

/// Adds sines and cosines of the coordinates to points, so that a linear layer can tell nearby
/// points apart
/// (Tancik et al., "Fourier features let networks learn high frequency functions", 2020; here with
/// fixed frequencies along the axes): x, then for k = 0, 1, ... sin(6 * 2^k x) and cos(6 * 2^k x).
/// Coordinates should lie between about -1 and 1.
/// points: [rows, F] -> features: [rows, F * (1 + 2 * frequencies)].
template <class T>
void point_features(int frequencies, MatrixView<const T> points, MatrixView<T> features);

}  // namespace asap::tensor
