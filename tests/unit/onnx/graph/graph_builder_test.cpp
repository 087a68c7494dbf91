#include "onnx/graph/graph_builder.h"

#include <cstring>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/onnx_model.h"

namespace asap::test {
namespace {

using onnx::ElementType;
using onnx::GraphBuilder;
using onnx::Value;

TEST_CASE("a graph reads back as it was built") {
  GraphBuilder graph;
  const Value x = graph.input("x", {ElementType::uint8, {"batch", std::int64_t{3}}});
  graph.begin_part("layers.0");
  tensor::Tensor<float> weight({3, 2});
  for (std::int64_t i = 0; i < 6; ++i) weight[i] = static_cast<float>(i) / 3;
  const Value w = graph.constant("weight", weight);
  const Value sum = graph.node("Gemm", {x, w}, {{"alpha", 0.5f}, {"transB", std::int64_t{-1}}});
  const Value order = graph.node("Transpose", {sum}, {{"perm", std::vector<std::int64_t>{1, 0}}});
  const std::vector<Value> parts = graph.node_with_outputs(2, "Split", {order});
  const Value y = graph.named_node("y", "Add", {parts[0], parts[1]});
  graph.output(y, {ElementType::float32, {std::int64_t{1}, "batch"}});
  const OnnxModel model = read_onnx(
      graph.model({.producer = "test", .name = "small", .metadata = {{"a", "1"}, {"b", "2"}}}));

  CHECK(model.format_version == 8);
  CHECK(model.operator_set == 17);
  CHECK(model.producer == "test");
  CHECK(model.graph_name == "small");
  CHECK(model.metadata == std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}});
  CHECK(model.inputs == std::map<std::string, std::string>{{"x", "2[batch,3]"}});
  CHECK(model.outputs == std::map<std::string, std::string>{{"y", "1[1,batch]"}});
  REQUIRE(model.nodes.size() == 4);
  CHECK(model.nodes[0].operation == "Gemm");
  CHECK(model.nodes[0].inputs == std::vector<std::string>{"x", "layers.0.weight"});
  CHECK(model.nodes[0].outputs == std::vector<std::string>{"layers.0.Gemm"});
  CHECK(model.nodes[0].reals.at("alpha") == 0.5f);
  CHECK(model.nodes[0].integers.at("transB") == -1);
  CHECK(model.nodes[1].lists.at("perm") == std::vector<std::int64_t>{1, 0});
  CHECK(model.nodes[2].outputs == std::vector<std::string>{"layers.0.Split", "layers.0.Split_1"});
  CHECK(model.nodes[3].outputs == std::vector<std::string>{"y"});
  const OnnxConstant& constant = model.constants.at("layers.0.weight");
  CHECK(constant.sizes == std::vector<std::int64_t>{3, 2});
  CHECK(constant.type == 1);
  REQUIRE(constant.bytes.size() == 24);
  CHECK(std::memcmp(constant.bytes.data(), weight.data(), 24) == 0);
}

TEST_CASE("equal scalars and lists of integers are one constant") {
  GraphBuilder graph;
  CHECK(graph.scalar(2).name == graph.scalar(2).name);
  CHECK(graph.scalar(2).name != graph.scalar(3).name);
  CHECK(graph.integers({1, -2}).name == graph.integers({1, -2}).name);
  CHECK(graph.integers({1}).name != graph.integers({2}).name);
  graph.node("Reshape", {graph.scalar(2), graph.integers({1, -2})});
  const OnnxModel model = read_onnx(graph.model({.producer = "test", .name = "constants"}));
  CHECK(model.constants.size() == 2);  // those that are read
  CHECK(model.constants.at(graph.scalar(2).name).sizes.empty());
  std::int64_t second = 0;
  std::memcpy(&second, model.constants.at(graph.integers({1, -2}).name).bytes.data() + 8, 8);
  CHECK(second == -2);
}

TEST_CASE("a choice holds two graphs, which read what was made before them") {
  GraphBuilder graph;
  const Value x = graph.input("x", {}), is_small = graph.node("Less", {x, graph.scalar(1)});
  const Value y = graph.choose(
      is_small, [&] { return graph.node("Exp", {graph.node("Neg", {x})}); },
      [&] {
        return graph.node("Mul", {x, graph.scalar(3)});
      });
  graph.output(graph.named_node("y", "Neg", {y}), {});
  CHECK(graph.node_count() == 6);
  const OnnxModel model = read_onnx(graph.model({.producer = "test", .name = "choice"}));
  REQUIRE(model.nodes.size() == 3);  // those of the whole, in order
  const OnnxNode& choice = model.nodes[1];
  CHECK(choice.operation == "If");
  CHECK(choice.inputs == std::vector<std::string>{is_small.name});
  CHECK(model.nodes[2].inputs == choice.outputs);
  const OnnxBranch &then = choice.graphs.at("then_branch"),
                   &otherwise = choice.graphs.at("else_branch");
  REQUIRE(then.nodes.size() == 2);
  CHECK(then.nodes[0].inputs == std::vector<std::string>{"x"});
  CHECK(then.nodes[1].outputs == std::vector<std::string>{then.output});
  REQUIRE(otherwise.nodes.size() == 1);
  CHECK(otherwise.nodes[0].outputs == std::vector<std::string>{otherwise.output});
  CHECK(then.name != otherwise.name);
  CHECK(then.nodes[0].name != model.nodes[2].name);
  CHECK(model.constants.contains(graph.scalar(3).name));  // one that only a branch reads
}

TEST_CASE("names are unique") {
  GraphBuilder graph;
  const Value x = graph.input("x", {});
  const Value a = graph.node("Exp", {x}), b = graph.node("Exp", {a});
  CHECK(a.name != b.name);
  graph.constant("w", tensor::Tensor<float>({1}));
  CHECK_THROWS_AS(graph.constant("w", tensor::Tensor<float>({1})), base::InternalError);
  CHECK_THROWS_AS(graph.named_node("x", "Exp", {x}), base::InternalError);
}

}  // namespace
}  // namespace asap::test
