#pragma once

#include <string>
#include <vector>

#include "onnx/network/attention_graph.h"

namespace asap::onnx {

/// A trained Transformer and the attention it is exported with.
struct NetworkExport {
  const config::ModelConfig& model;
  const io::TensorFile& weights;  ///< as in the checkpoint
  /// [layer][head]; those of a layer are computed alike. Softmax is a loop without iterations.
  const std::vector<std::vector<attention::CompiledHead>>& heads;
  LoopForm form = LoopForm::scaling;
  PixelScale pixels = {};  ///< of images
};

/// The network as an ONNX model of operator set 17, in float32: inputs as add_token_input says,
/// output `logits` [batch, classes] or, where every token is classified, [batch, tokens, classes],
/// undefined for padding. Batch and number of tokens may differ from call to call. UsageError for
/// what cannot be exported (require_exportable), DataError for tensors that do not fit the model.
std::string export_network(const NetworkExport& network, const ModelDescription& description);

}  // namespace asap::onnx
