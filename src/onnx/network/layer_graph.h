#pragma once

#include "onnx/network/attention_graph.h"
#include "onnx/network/stored_weights.h"

namespace asap::onnx {

/// A layer of an encoder, as infer/encoder.cpp computes it.
struct EncoderLayer {
  int index;
  LayerHeads heads;
  LoopForm form;
};

/// Adds a layer: [B, N, W] -> [B, N, W]. DataError names a tensor that is missing or has another
/// shape.
Value add_layer(const Operators& ops, const config::ModelConfig& model,
                const io::TensorFile& weights, const EncoderLayer& layer, const Tokens& tokens);

}  // namespace asap::onnx
