#pragma once

#include <string>

#include "io/safetensors.h"
#include "tensor/core/tensor.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::infer {

/// Weight and bias of a linear layer, or gain and offset of a layer norm.
struct AffineWeights {
  tensor::Tensor<float> weight;  // [out, in], or a gain [width]
  tensor::Tensor<float> bias;    // [out]
};

/// A tensor of a checkpoint. DataError when it is missing or has another shape.
tensor::Tensor<float> take_weights(const io::TensorFile& file, const std::string& name,
                                   const tensor::Shape& shape);

/// "name.weight" [out, in] and "name.bias" [out].
AffineWeights take_linear(const io::TensorFile& file, const std::string& name, std::int64_t out,
                          std::int64_t in);

/// "name.weight" [width] and "name.bias" [width].
AffineWeights take_norm(const io::TensorFile& file, const std::string& name, std::int64_t width);

/// y = x Wᵀ + b + beta y
inline void apply_linear(const AffineWeights& linear, tensor::MatrixView<const float> x, float beta,
                         tensor::MatrixView<float> y,
                         tensor::ProductPrecision precision = tensor::ProductPrecision::single) {
  tensor::affine<float>(x, linear.weight.rows(), linear.bias.flat(), beta, y, precision);
}

/// y = norm(x), row by row; `y` may be `x`.
inline void apply_norm(const AffineWeights& norm, tensor::MatrixView<const float> x, double epsilon,
                       tensor::MatrixView<float> y) {
  tensor::layer_norm<float>(x, {norm.weight.flat(), norm.bias.flat(), epsilon}, y, {}, {});
}

}  // namespace asap::infer
