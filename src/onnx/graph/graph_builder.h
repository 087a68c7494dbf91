#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tensor/core/tensor.h"

namespace asap::onnx {

/// TensorProto.DataType of onnx.proto.
enum class ElementType : std::int32_t { float32 = 1, uint8 = 2, int64 = 7, float64 = 11 };

/// One dimension of an input or output: its size, or the name of one that differs from call to
/// call.
using Dimension = std::variant<std::int64_t, std::string>;

/// The type of an input or output.
struct ValueType {
  ElementType type = ElementType::float32;
  std::vector<Dimension> dimensions;
};

/// A tensor of the graph, by its name.
struct Value {
  std::string name;
};

/// A graph within a node, made by GraphBuilder: a GraphProto.
struct Subgraph {
  std::string bytes;
};

/// An attribute of an operator.
struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::vector<std::int64_t>, Subgraph> value;
};

/// What a model says about itself besides its graph.
struct ModelDescription {
  std::string producer;  ///< the program that writes it
  std::string name;      ///< of the graph
  int operator_set = 17;
  int format_version = 8;                            ///< `ir_version`; 8 came with operator set 17
  std::map<std::string, std::string> metadata = {};  ///< `metadata_props`
};

/// An ONNX graph under construction (https://onnx.ai/onnx/repo-docs/IR.html). Values are named
/// after the part of the network that they belong to, see begin_part. Equal calls give equal bytes.
class GraphBuilder {
 public:
  /// Names of nodes and constants begin with "PART." from now on; of an empty part with nothing.
  void begin_part(const std::string& part);

  Value input(const std::string& name, const ValueType& type);
  void output(const Value& value, const ValueType& type);

  /// A constant tensor, under its own name within the part; left out if no node reads it.
  /// InternalError when the name is taken.
  template <class T>
  Value constant(const std::string& name, const tensor::Tensor<T>& values);
  /// A constant of no dimensions; equal ones are one.
  Value scalar(float value);
  /// A constant list of integers: shapes, axes; equal ones are one.
  Value integers(const std::vector<std::int64_t>& values);

  /// Adds a node with one output.
  Value node(const std::string& operation, const std::vector<Value>& inputs,
             const std::vector<Attribute>& attributes = {});
  /// The same with a given name for the output.
  Value named_node(const std::string& output, const std::string& operation,
                   const std::vector<Value>& inputs, const std::vector<Attribute>& attributes = {});
  /// Adds a node with several outputs.
  std::vector<Value> node_with_outputs(int outputs, const std::string& operation,
                                       const std::vector<Value>& inputs,
                                       const std::vector<Attribute>& attributes = {});

  /// What `then` adds where the condition holds, else what `otherwise` adds: only one of the two is
  /// computed. Both may read every value made so far; the value that they return must be one that
  /// a node of theirs makes, and nobody else may read what they add. condition: one bool.
  Value choose(const Value& condition, const std::function<Value()>& then,
               const std::function<Value()>& otherwise);

  std::int64_t node_count() const { return nodes_; }

  /// The bytes of the model: a ModelProto. UsageError beyond 2 GiB, which protocol buffers cannot
  /// hold.
  std::string model(const ModelDescription& description) const;

 private:
  struct Constant {
    std::string name, bytes;  // a TensorProto
  };

  std::string name_of(const std::string& stem);
  Subgraph branch(const std::string& stem, const std::function<Value()>& build);
  void add_node(const std::string& operation, const std::vector<Value>& inputs,
                const std::vector<std::string>& outputs, const std::vector<Attribute>& attributes);
  void add_constant(const std::string& name, ElementType type,
                    const std::vector<std::int64_t>& sizes, std::string_view bytes);

  std::string part_;
  std::int64_t nodes_ = 0;
  std::map<std::string, int> taken_;  // names, and how many were derived from them
  std::map<float, Value> scalars_;
  std::map<std::vector<std::int64_t>, Value> integers_;
  std::set<std::string> read_;  // by nodes
  std::vector<Constant> constants_;
  std::string node_bytes_, input_bytes_, output_bytes_;  // fields of the graph
};

}  // namespace asap::onnx
