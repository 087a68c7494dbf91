#include "region/network/export_onnx.h"

#include <algorithm>

#include "base/error.h"
#include "onnx/graph/graph_builder.h"

namespace asap::region {
namespace {

/// x Wᵀ + b. Gemm's factors alpha and beta are 1 anyway, but OMLT reads no defaults.
onnx::Value add_layer(onnx::GraphBuilder& graph, const DenseLayer& layer, const onnx::Value& x,
                      const std::string& output) {
  tensor::Tensor<double> bias({layer.outputs()});
  std::ranges::copy(layer.bias, bias.data());
  return graph.named_node(output, "Gemm",
                          {x, graph.constant("weight", layer.weight), graph.constant("bias", bias)},
                          {{"alpha", 1.0f}, {"beta", 1.0f}, {"transB", std::int64_t{1}}});
}

}  // namespace

std::string export_onnx(const StoredNetwork& stored, const std::string& name) {
  if (name.empty()) throw base::UsageError("`name` must not be empty");
  const std::vector<DenseLayer>& layers = stored.network.layers;
  const auto numbers = [](std::int64_t columns) {
    return onnx::ValueType{onnx::ElementType::float64, {"N", columns}};
  };
  onnx::GraphBuilder graph;
  onnx::Value value = graph.input("x", numbers(stored.network.inputs()));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string stem = "layers." + std::to_string(l);
    const bool last = l + 1 == layers.size();
    graph.begin_part(stem);
    value = add_layer(graph, layers[l], value, last ? "y" : stem + ".sum");
    if (!last) value = graph.named_node(stem + ".relu", "Relu", {value});
  }
  graph.output(value, numbers(layers.back().outputs()));
  return graph.model(
      {.producer = "relu-fit", .name = name, .operator_set = 13, .format_version = 7});
}

io::Json onnx_bounds(const StoredNetwork& stored) {
  if (!stored.interval)
    throw base::DataError("the network does not store the interval it was fitted on",
                          "fit it again with this version, which stores it");
  io::Json bounds = io::Json::array();
  for (std::int64_t j = 0; j < stored.network.inputs(); ++j)
    bounds.push_back({{"key", j},
                      {"lower_bound", stored.interval->low},
                      {"upper_bound", stored.interval->high}});
  return bounds;
}

}  // namespace asap::region
