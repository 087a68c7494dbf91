#pragma once

#include <string>

#include "io/safetensors.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "tensor/core/tensor.h"

namespace asap {

/// Weight and bias of a linear layer, or gain and offset of a layer norm.
struct AffineWeights {
  Tensor<float> weight;  // [out, in], or a gain [width]
  Tensor<float> bias;    // [out]
};

/// A tensor of a checkpoint. DataError when it is missing or has another shape.
Tensor<float> take_weights(const TensorFile& file, const std::string& name, const Shape& shape);

/// "name.weight" [out, in] and "name.bias" [out].
AffineWeights take_linear(const TensorFile& file, const std::string& name, std::int64_t out,
                          std::int64_t in);

/// "name.weight" [width] and "name.bias" [width].
AffineWeights take_norm(const TensorFile& file, const std::string& name, std::int64_t width);

/// y = x Wᵀ + b + beta y
inline void apply_linear(const AffineWeights& linear, MatrixView<const float> x, float beta,
                         MatrixView<float> y) {
  affine<float>(x, linear.weight.rows(), linear.bias.flat(), beta, y);
}

inline void apply_norm(const AffineWeights& norm, MatrixView<const float> x, MatrixView<float> y) {
  layer_norm<float>(x, {norm.weight.flat(), norm.bias.flat()}, y, {}, {});
}

}  // namespace asap
