#pragma once

#include <cstdint>

#include "tensor/core/tensor.h"

namespace asap::numerics {

/// Centres of `count` clusters of points: [points, D] by Lloyd's algorithm, at most `rounds`
/// rounds, from k-means++ (Arthur and Vassilvitskii 2007): [count, D]. A cluster that loses all its
/// points keeps its centre; with fewer different points than clusters some centres are equal. A
/// pure function of its arguments. InternalError without points or clusters.
tensor::Tensor<double> k_means(tensor::MatrixView<const double> points, std::int64_t count,
                               int rounds, std::uint64_t seed, std::uint32_t stream);

}  // namespace asap::numerics
