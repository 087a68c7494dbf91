#include "onnx/network/network_graph.h"

#include "base/error.h"
#include "onnx/network/layer_graph.h"

namespace asap::onnx {
namespace {

/// [B, N, W] -> [B, W]: the first token, or the mean of live tokens.
Value pooled(const Operators& ops, const config::ModelConfig& model, const Tokens& tokens) {
  GraphBuilder& graph = ops.graph();
  if (model.has_class_token() || model.pooling == config::Pooling::first_token) {
    const Value first = graph.node(
        "Slice", {tokens.rows, graph.integers({0}), graph.integers({1}), graph.integers({1})});
    return ops.reshape(first, {-1, model.width});
  }
  const LiveTokens& live = tokens.live;
  const Value rows =
      live.is_live ? ops.multiply(tokens.rows, ops.reshape(live.live, {0, -1, 1})) : tokens.rows;
  return ops.divide(ops.reshape(ops.sum(rows, 1), {-1, model.width}),
                    ops.reshape(live.count, {-1, 1}));
}

}  // namespace

std::string export_network(const NetworkExport& network, const ModelDescription& description) {
  const config::ModelConfig& model = network.model;
  base::check(model.has_attention() && std::ssize(network.heads) == model.layers,
              "export_network: heads of another network");
  for (int index = 0; index < model.layers; ++index)
    require_exportable(network.heads[static_cast<std::size_t>(index)], index, network.form);
  GraphBuilder graph;
  const Operators ops(graph);
  Tokens tokens = add_token_input(ops, model, network.weights, network.pixels);
  for (int index = 0; index < model.layers; ++index)
    tokens.rows =
        add_layer(ops, model, network.weights,
                  {index, network.heads[static_cast<std::size_t>(index)], network.form}, tokens);
  graph.begin_part("head");
  if (model.has_final_norm())
    tokens.rows = layer_norm(ops, "norm", tokens.rows,
                             infer::take_norm(network.weights, "final_norm", model.width),
                             model.norm_epsilon);
  Value embeddings = model.labels_tokens() ? tokens.rows : pooled(ops, model, tokens);
  if (model.pooler)
    embeddings = graph.node(
        "Tanh", {linear(ops, "pooler", embeddings,
                        infer::take_linear(network.weights, "pooler", model.width, model.width))});
  const infer::AffineWeights head =
      infer::take_linear(network.weights, "head", model.classes, model.width);
  const Value products =
      ops.product(embeddings, graph.constant("linear.weight", transposed(head.weight)));
  const Value logits =
      graph.named_node("logits", "Add", {products, graph.constant("linear.bias", head.bias)});
  ValueType type{ElementType::float32, {"batch", std::int64_t{model.classes}}};
  if (model.labels_tokens()) type.dimensions.insert(type.dimensions.begin() + 1, "tokens");
  graph.output(logits, type);
  return graph.model(description);
}

}  // namespace asap::onnx
