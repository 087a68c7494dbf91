#pragma once

#include "tensor/core/product_precision.h"
#include "tensor/core/view.h"

namespace asap::attention {

/// Where the gradients of one attention head go: views of the same shapes as its queries [n, D],
/// keys [m, D] and values [m, Dv]. `accumulate` adds to what is there instead of replacing it.
template <class T>
struct HeadGradients {
  tensor::MatrixView<T> queries;
  tensor::MatrixView<T> keys;
  tensor::MatrixView<T> values;
  bool accumulate = false;
  tensor::MatrixView<T> learned = {};  ///< of AttentionHead::learned; always added to
};

/// The inputs of one attention head: queries [n, D], keys [m, D], values [m, Dv], and the factor
/// of the scores S = scale * Q Kᵀ.
template <class T>
struct AttentionHead {
  tensor::MatrixView<const T> queries;
  tensor::MatrixView<const T> keys;
  tensor::MatrixView<const T> values;
  T scale;
  tensor::MatrixView<const T> learned = {};  ///< what some kinds learn besides (see LearnedShape)
  int layer = 0;                             ///< depth of the layer the head belongs to, from 0
  /// Slack c of Sinkhorn's plan: its columns sum to at most (1 + c) n/m; 0: to n/m.
  T slack = T(0);
  /// Of the products of softmax and Sinkhorn attention in their stored forms, T = float alone. What
  /// has to be computed again in the log domain is not rounded.
  tensor::ProductPrecision precision = tensor::ProductPrecision::single;
};

}  // namespace asap::attention
