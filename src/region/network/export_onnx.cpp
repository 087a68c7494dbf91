#include "region/network/export_onnx.h"

#include <cstring>

#include "base/error.h"
#include "base/version.h"

namespace asap::region {
namespace {

/// A protocol buffer message under construction. Field numbers are those of onnx.proto3.
class Message {
 public:
  Message& number(int field, std::uint64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(value);
    return *this;
  }
  Message& bytes(int field, const std::string& value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  /// A float, in four bytes.
  Message& real(int field, float value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 5);
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    bytes_ += bytes;
    return *this;
  }
  Message& message(int field, const Message& value) { return bytes(field, value.bytes_); }
  const std::string& data() const { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_ += static_cast<char>((value & 0x7F) | 0x80);
      value >>= 7;
    }
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

constexpr std::uint64_t kDouble = 11;                            // TensorProto.DataType
constexpr std::uint64_t kFloatAttribute = 1, kIntAttribute = 2;  // AttributeProto.AttributeType

Message tensor(const std::string& name, const std::vector<std::int64_t>& sizes,
               const double* data) {
  Message message;
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) {
    message.number(1, static_cast<std::uint64_t>(size));
    count *= size;
  }
  std::string raw(static_cast<std::size_t>(count) * sizeof(double), '\0');
  std::memcpy(raw.data(), data, raw.size());
  return message.number(2, kDouble).bytes(8, name).bytes(9, raw);
}

/// A value [N, columns] of float64.
Message value_info(const std::string& name, std::int64_t columns) {
  Message batch, one;
  batch.bytes(2, "N");
  one.number(1, static_cast<std::uint64_t>(columns));
  Message shape;
  shape.message(1, batch).message(1, one);
  Message tensor_type;
  tensor_type.number(1, kDouble).message(2, shape);
  Message type;
  type.message(1, tensor_type);
  Message info;
  return info.bytes(1, name).message(2, type);
}

Message factor_one(const std::string& name) {
  Message attribute;
  return attribute.bytes(1, name).real(2, 1).number(20, kFloatAttribute);
}

/// out = in Wᵀ + b. Gemm's factors alpha and beta are 1 anyway, but OMLT reads no defaults.
Message gemm_node(const std::string& in, const std::string& stem, const std::string& out) {
  Message transpose;
  transpose.bytes(1, "transB").number(3, 1).number(20, kIntAttribute);
  Message node;
  return node.bytes(1, in)
      .bytes(1, stem + "weight")
      .bytes(1, stem + "bias")
      .bytes(2, out)
      .bytes(3, stem + "gemm")
      .bytes(4, "Gemm")
      .message(5, factor_one("alpha"))
      .message(5, factor_one("beta"))
      .message(5, transpose);
}

}  // namespace

std::string export_onnx(const StoredNetwork& stored, const std::string& name) {
  if (name.empty()) throw base::UsageError("`name` must not be empty");
  Message graph;
  std::string in = "x";
  const std::size_t layers = stored.network.layers.size();
  for (std::size_t l = 0; l < layers; ++l) {
    const std::string stem = "layers." + std::to_string(l) + ".";
    const bool output = l + 1 == layers;
    const std::string sum = output ? "y" : stem + "sum", value = stem + "relu";
    graph.message(1, gemm_node(in, stem, sum));
    if (output) break;
    Message relu;
    relu.bytes(1, sum).bytes(2, value).bytes(3, stem + "activation").bytes(4, "Relu");
    graph.message(1, relu);
    in = value;
  }
  graph.bytes(2, name);
  for (std::size_t l = 0; l < layers; ++l) {
    const DenseLayer& layer = stored.network.layers[l];
    const std::string stem = "layers." + std::to_string(l) + ".";
    graph.message(5,
                  tensor(stem + "weight", {layer.outputs(), layer.inputs()}, layer.weight.data()));
    graph.message(5, tensor(stem + "bias", {layer.outputs()}, layer.bias.data()));
  }
  graph.message(11, value_info("x", stored.network.inputs()))
      .message(12, value_info("y", stored.network.layers.back().outputs()));
  Message operators;
  operators.bytes(1, "").number(2, 13);
  Message model;
  model.number(1, 7)
      .bytes(2, "relu-fit")
      .bytes(3, base::version())
      .message(7, graph)
      .message(8, operators);
  return model.data();
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
