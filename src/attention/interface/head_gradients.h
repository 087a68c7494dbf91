#pragma once

#include "tensor/core/view.h"

namespace asap {

/// Where the gradients of one attention head go: views of the same shapes as its queries [n, D], keys
/// [m, D] and values [m, Dv]. `accumulate` adds to what is there instead of replacing it.
template <class T>
struct HeadGradients {
  MatrixView<T> queries;
  MatrixView<T> keys;
  MatrixView<T> values;
  bool accumulate = false;
  MatrixView<T> learned = {};  ///< of AttentionHead::learned; always added to
};

/// What one attention head computes on: queries [n, D], keys [m, D], values [m, Dv], and the factor of the
/// scores S = scale * Q Kᵀ.
template <class T>
struct AttentionHead {
  MatrixView<const T> queries;
  MatrixView<const T> keys;
  MatrixView<const T> values;
  T scale;
  MatrixView<const T> learned = {};  ///< what some kinds learn besides (see LearnedShape)
  int layer = 0;                     ///< depth of the layer the head stands in, from 0
};

}  // namespace asap
