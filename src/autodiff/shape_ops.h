#pragma once

#include "autodiff/tape.h"

namespace asap::autodiff {

/// The same values under another shape of equal size; copies nothing.
template <class T>
Var<T> reshape(Var<T> x, const tensor::Shape& shape) {
  return x.tape().reshaped(x, shape);
}

/// Swaps two dimensions. Negative numbers count from the last.
template <class T>
Var<T> transpose(Var<T> x, int first, int second);

/// [B, N, H * D] -> [B, H, N, D]
template <class T>
Var<T> split_heads(Var<T> x, std::int64_t heads);

/// [B, H, N, D] -> [B, N, H * D]
template <class T>
Var<T> merge_heads(Var<T> x);

}  // namespace asap::autodiff
