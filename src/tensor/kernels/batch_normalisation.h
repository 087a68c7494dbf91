#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// Batch normalisation (Ioffe and Szegedy 2015) of matrices whose columns are channels:
/// z = gain (x - mean) / sqrt(variance + epsilon) + offset, then perhaps ReLU.
template <class T>
struct ColumnNorm {
  VectorView<const T> gain, offset;  ///< [C]
  double epsilon = 1e-5;
  bool relu = false;  ///< y = max(z, 0) instead of z
};

/// Mean and variance (divided by the rows) of each column. x: [N, C], N > 0; mean, variance: [C].
template <class T>
void column_moments(MatrixView<const T> x, VectorView<T> mean, VectorView<T> variance);

/// y = norm(x) with the given moments. x, y: [N, C]; y may be x.
template <class T>
void normalise_columns(const ColumnNorm<T>& norm, MatrixView<const T> x, VectorView<const T> mean,
                       VectorView<const T> variance, MatrixView<T> y);

/// Arguments and results of normalise_columns_vjp.
template <class T>
struct NormaliseColumnsVjp {
  MatrixView<const T> x;               ///< [N, C]
  VectorView<const T> mean, variance;  ///< of x
  MatrixView<const T> dy;              ///< [N, C]
  MatrixView<T> dx{};                  ///< [N, C], or nothing
  bool accumulate_dx = false;
  VectorView<T> dgain{}, doffset{};  ///< [C]; always written
};

/// Vector-Jacobian product of normalise_columns with the moments of x itself, which depend on x:
/// dx = s (dz - mean(dz) - u mean(dz u)) with u = (x - mean) / sqrt(variance + epsilon), s = gain /
/// sqrt(variance + epsilon) and dz = dy, zero where ReLU is flat.
template <class T>
void normalise_columns_vjp(const ColumnNorm<T>& norm, const NormaliseColumnsVjp<T>& pass);

}  // namespace asap::tensor
