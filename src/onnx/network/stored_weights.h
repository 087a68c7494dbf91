#pragma once

#include "infer/weights.h"
#include "onnx/graph/operators.h"

namespace asap::onnx {

/// Wᵀ, as MatMul reads it. weight: [out, in] -> [in, out].
inline tensor::Tensor<float> transposed(const tensor::Tensor<float>& weight) {
  const tensor::MatrixView<const float> from = weight.rows();
  tensor::Tensor<float> out({from.cols, from.rows});
  for (std::int64_t i = 0; i < from.rows; ++i)
    for (std::int64_t j = 0; j < from.cols; ++j) out.rows()(j, i) = from(i, j);
  return out;
}

/// x Wᵀ + b, with constants "NAME.weight" and "NAME.bias". x: [..., in].
inline Value linear(const Operators& ops, const std::string& name, const Value& x,
                    const infer::AffineWeights& weights) {
  GraphBuilder& graph = ops.graph();
  return ops.affine(x, graph.constant(name + ".weight", transposed(weights.weight)),
                    graph.constant(name + ".bias", weights.bias));
}

/// Layer norm of the last dimension, with constants "NAME.weight" and "NAME.bias".
inline Value layer_norm(const Operators& ops, const std::string& name, const Value& x,
                        const infer::AffineWeights& norm, double epsilon) {
  return ops.graph().node("LayerNormalization",
                          {x, ops.graph().constant(name + ".weight", norm.weight),
                           ops.graph().constant(name + ".bias", norm.bias)},
                          {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(epsilon)}});
}

}  // namespace asap::onnx
