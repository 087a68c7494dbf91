#include "onnx/network/network_graph.h"

#include <set>

#include <doctest/doctest.h>

#include "attention/operators/loop_heads.h"
#include "base/error.h"
#include "support/onnx_model.h"
#include "support/random_heads.h"
#include "train/checkpoint.h"

namespace asap::test {
namespace {

using attention::CompiledHead;
using attention::DualFeatures;

config::ModelConfig small_model(config::ModelKind kind) {
  config::ModelConfig model;
  model.kind = kind;
  model.image_height = model.image_width = 4;
  model.channels = 1;
  model.patch = 2;
  model.classes = 3;
  model.vocabulary = 5;
  model.max_tokens = 7;
  model.point_width = 2;
  model.width = 8;
  model.heads = 2;
  model.layers = 2;
  return model;
}

io::TensorFile weights_of(const config::ModelConfig& model) {
  return train::export_parameters(nn::Transformer<float>(model, 3).parameters());
}

using Heads = std::vector<std::vector<CompiledHead>>;

Heads loop(int iterations, float slack = 0) {
  const std::vector<std::vector<float>> scales(2, {0.5f, 0.25f}), slacks(2, {slack, slack});
  return attention::loop_heads(iterations, scales, slacks);
}

std::string exported(const config::ModelConfig& model, const Heads& heads,
                     onnx::LoopForm form = onnx::LoopForm::scaling) {
  const io::TensorFile weights = weights_of(model);
  return onnx::export_network({model, weights, heads, form}, {.producer = "test", .name = "net"});
}

TEST_CASE("inputs and outputs are those of the kind of data, of any batch and length") {
  using Types = std::map<std::string, std::string>;
  config::ModelConfig model = small_model(config::ModelKind::vit);
  const OnnxModel images = read_onnx(exported(model, loop(2)));
  CHECK(images.inputs == Types{{"pixels", "2[batch,1,4,4]"}});
  CHECK(images.outputs == Types{{"logits", "1[batch,3]"}});
  const OnnxModel texts = read_onnx(exported(small_model(config::ModelKind::text), loop(2)));
  CHECK(texts.inputs == Types{{"ids", "7[batch,tokens]"}, {"lengths", "7[batch]"}});
  model = small_model(config::ModelKind::set);
  model.pooling = config::Pooling::none;
  const OnnxModel sets = read_onnx(exported(model, loop(2)));
  CHECK(sets.inputs == Types{{"points", "1[batch,tokens,2]"}, {"lengths", "7[batch]"}});
  CHECK(sets.outputs == Types{{"logits", "1[batch,tokens,3]"}});
}

/// Nodes in order, those of branches where they stand.
void check_order(const std::vector<OnnxNode>& nodes, std::set<std::string>& known,
                 std::set<std::string>& read) {
  for (const OnnxNode& node : nodes) {
    for (const std::string& name : node.inputs) {
      CHECK_MESSAGE(known.contains(name), node.name, " reads ", name);
      read.insert(name);
    }
    for (const auto& entry : node.graphs) {
      std::set<std::string> inside = known;  // which nodes behind it cannot read
      check_order(entry.second.nodes, inside, read);
      CHECK(inside.contains(entry.second.output));
      CHECK_FALSE(known.contains(entry.second.output));
    }
    for (const std::string& name : node.outputs) CHECK(known.insert(name).second);
  }
}

TEST_CASE("every value is made before it is read, and every constant is read") {
  const DualFeatures all{.first_dual = true, .landmarks = 3, .corrections = 2};
  base::RandomStream random(63, base::RandomPurpose::test, 1);
  Heads maps(2);
  for (auto& layer : maps)
    for (int h = 0; h < 2; ++h)
      layer.push_back(random_head(all, attention::CompiledMode::row_dual, 4, random));
  for (const config::ModelKind kind :
       {config::ModelKind::vit, config::ModelKind::text, config::ModelKind::set})
    for (const Heads& heads : {loop(3), loop(3, 0.5f), maps}) {
      const OnnxModel model = read_onnx(exported(small_model(kind), heads));
      std::set<std::string> known, read;
      for (const auto& entry : model.inputs) known.insert(entry.first);
      for (const auto& entry : model.constants) known.insert(entry.first);
      check_order(model.nodes, known, read);
      for (const auto& entry : model.constants)
        CHECK_MESSAGE(read.contains(entry.first), entry.first);
      CHECK(known.contains("logits"));
      CHECK(model.count("If") == 2);  // one in every layer
    }
}

TEST_CASE("the log-domain form has 2 T + 1 log-sum-exps in every layer, the other none") {
  const config::ModelConfig model = small_model(config::ModelKind::vit);
  CHECK(read_onnx(exported(model, loop(5), onnx::LoopForm::log_domain)).count("ReduceLogSumExp") ==
        2 * 11);
  const OnnxModel scaling = read_onnx(exported(model, loop(5)));
  CHECK(scaling.count("ReduceLogSumExp") == 0);
  const std::int64_t more = read_onnx(exported(model, loop(6))).count("MatMul");
  CHECK(more == scaling.count("MatMul") + 2 * 2);  // one iteration: two products in each layer
  CHECK(read_onnx(exported(model, loop(0))).count("Softmax") == 2);
}

TEST_CASE(
    "the weights of queries hold the root of the score scale, those of values a row of ones") {
  const config::ModelConfig model = small_model(config::ModelKind::vit);
  const io::TensorFile weights = weights_of(model);
  const OnnxModel read = read_onnx(exported(model, loop(2)));
  const OnnxConstant& queries = read.constants.at("layers.1.attention.queries.weight");
  CHECK(queries.sizes == std::vector<std::int64_t>{8, 8});
  const tensor::Tensor<float> qkv = weights.get<float>("layers.1.attention.qkv.weight", {24, 8});
  const auto* values = reinterpret_cast<const float*>(queries.bytes.data());
  CHECK(values[0 * 8 + 1] == doctest::Approx(std::sqrt(0.5) * qkv.rows()(1, 0)));
  CHECK(values[3 * 8 + 6] == doctest::Approx(std::sqrt(0.25) * qkv.rows()(6, 3)));
  const OnnxConstant& bias = read.constants.at("layers.1.attention.values.bias");
  REQUIRE(bias.sizes == std::vector<std::int64_t>{10});
  CHECK(reinterpret_cast<const float*>(bias.bytes.data())[4] == 1);
  CHECK(reinterpret_cast<const float*>(bias.bytes.data())[9] == 1);
}

TEST_CASE("equal networks give equal bytes") {
  const config::ModelConfig model = small_model(config::ModelKind::text);
  CHECK(exported(model, loop(2)) == exported(model, loop(2)));
}

TEST_CASE("what cannot be exported is refused by name") {
  const config::ModelConfig model = small_model(config::ModelKind::vit);
  CHECK_THROWS_WITH_AS(exported(model, loop(2, 1), onnx::LoopForm::log_domain),
                       doctest::Contains("layer 0: `method` teacher_log has no form with slack"),
                       base::UsageError);
  Heads heads = loop(2, 1);
  for (CompiledHead& head : heads[1]) head = CompiledHead::zero_dual(1, 0.5f);
  CHECK_THROWS_WITH_AS(exported(model, heads),
                       doctest::Contains("layer 1: a compiled map with slack"), base::UsageError);
  io::TensorFile weights = weights_of(model);
  weights.tensors.erase("head.bias");
  const Heads softmax = loop(0);
  CHECK_THROWS_WITH_AS(
      onnx::export_network({model, weights, softmax}, {.producer = "test", .name = "net"}),
      doctest::Contains("head.bias"), base::DataError);
}

}  // namespace
}  // namespace asap::test
