#include "onnx/graph/graph_builder.h"

#include <protozero/pbf_writer.hpp>

#include "base/error.h"
#include "base/version.h"

namespace asap::onnx {
namespace {

using protozero::pbf_writer;

// Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
namespace model_field {
constexpr int kFormatVersion = 1, kProducer = 2, kProducerVersion = 3, kGraph = 7, kOperators = 8,
              kMetadata = 14;
}
namespace graph_field {
constexpr int kNode = 1, kName = 2, kConstant = 5, kInput = 11, kOutput = 12;
}
namespace node_field {
constexpr int kInput = 1, kOutput = 2, kName = 3, kOperation = 4, kAttribute = 5;
}
namespace attribute_field {
constexpr int kName = 1, kReal = 2, kInteger = 3, kGraph = 6, kIntegers = 8, kType = 20;
constexpr int kRealType = 1, kIntegerType = 2, kGraphType = 5, kIntegersType = 7;
}  // namespace attribute_field
namespace tensor_field {
constexpr int kSizes = 1, kType = 2, kName = 8, kBytes = 9;
}

/// 2 GiB less 1 MiB for what surrounds the graph.
constexpr std::size_t kMostBytes = (std::size_t{1} << 31) - (std::size_t{1} << 20);

template <class T>
constexpr ElementType element_type() {
  if constexpr (std::is_same_v<T, float>) return ElementType::float32;
  if constexpr (std::is_same_v<T, double>) return ElementType::float64;
  if constexpr (std::is_same_v<T, std::int64_t>) return ElementType::int64;
}

template <class T>
std::string_view bytes_of(const T* data, std::int64_t count) {
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(count) * sizeof(T)};
}

std::string attribute_bytes(const Attribute& attribute) {
  namespace field = attribute_field;
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_string(field::kName, attribute.name);
  if (const auto* real = std::get_if<float>(&attribute.value)) {
    writer.add_float(field::kReal, *real);
    writer.add_enum(field::kType, field::kRealType);
  } else if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
    writer.add_int64(field::kInteger, *integer);
    writer.add_enum(field::kType, field::kIntegerType);
  } else if (const auto* subgraph = std::get_if<Subgraph>(&attribute.value)) {
    writer.add_message(field::kGraph, subgraph->bytes);
    writer.add_enum(field::kType, field::kGraphType);
  } else {
    for (const std::int64_t value : std::get<std::vector<std::int64_t>>(attribute.value))
      writer.add_int64(field::kIntegers, value);
    writer.add_enum(field::kType, field::kIntegersType);
  }
  return bytes;
}

/// A ValueInfoProto: name and type of an input or output.
std::string value_bytes(const std::string& name, const ValueType& type) {
  std::string bytes;
  pbf_writer value(bytes);
  value.add_string(1, name);
  pbf_writer any_type(value, 2), tensor_type(any_type, 1);
  tensor_type.add_enum(1, static_cast<std::int32_t>(type.type));
  pbf_writer shape(tensor_type, 2);
  for (const Dimension& dimension : type.dimensions) {
    pbf_writer one(shape, 1);
    if (const auto* size = std::get_if<std::int64_t>(&dimension))
      one.add_int64(1, *size);
    else
      one.add_string(2, std::get<std::string>(dimension));
  }
  shape.commit();
  tensor_type.commit();
  any_type.commit();
  return bytes;
}

}  // namespace

void GraphBuilder::begin_part(const std::string& part) { part_ = part.empty() ? "" : part + "."; }

/// "PART.STEM", with a number where there is one already.
std::string GraphBuilder::name_of(const std::string& stem) {
  const std::string name = part_ + stem;
  const int before = taken_[name]++;
  return before == 0 ? name : name + "_" + std::to_string(before);
}

Value GraphBuilder::input(const std::string& name, const ValueType& type) {
  pbf_writer(input_bytes_).add_message(graph_field::kInput, value_bytes(name, type));
  ++taken_[name];
  return {name};
}

void GraphBuilder::output(const Value& value, const ValueType& type) {
  pbf_writer(output_bytes_).add_message(graph_field::kOutput, value_bytes(value.name, type));
}

void GraphBuilder::add_constant(const std::string& name, ElementType type,
                                const std::vector<std::int64_t>& sizes, std::string_view bytes) {
  std::string content;
  pbf_writer constant(content);
  for (const std::int64_t size : sizes) constant.add_int64(tensor_field::kSizes, size);
  constant.add_enum(tensor_field::kType, static_cast<std::int32_t>(type));
  constant.add_string(tensor_field::kName, name);
  constant.add_bytes(tensor_field::kBytes, bytes.data(), bytes.size());
  constants_.push_back({name, std::move(content)});
}

template <class T>
Value GraphBuilder::constant(const std::string& name, const tensor::Tensor<T>& values) {
  const std::string whole = part_ + name;
  base::check(taken_[whole]++ == 0, "GraphBuilder: two constants of one name");
  std::vector<std::int64_t> sizes;
  for (int axis = 0; axis < values.shape().rank(); ++axis) sizes.push_back(values.shape()[axis]);
  add_constant(whole, element_type<T>(), sizes, bytes_of(values.data(), values.size()));
  return {whole};
}

Value GraphBuilder::scalar(float value) {
  const auto [place, is_new] = scalars_.try_emplace(value);
  if (is_new) {
    place->second = {"scalar." + std::to_string(scalars_.size())};
    add_constant(place->second.name, ElementType::float32, {}, bytes_of(&value, 1));
  }
  return place->second;
}

Value GraphBuilder::integers(const std::vector<std::int64_t>& values) {
  const auto [place, is_new] = integers_.try_emplace(values);
  if (is_new) {
    place->second = {"integers." + std::to_string(integers_.size())};
    const auto count = static_cast<std::int64_t>(values.size());
    add_constant(place->second.name, ElementType::int64, {count}, bytes_of(values.data(), count));
  }
  return place->second;
}

void GraphBuilder::add_node(const std::string& operation, const std::vector<Value>& inputs,
                            const std::vector<std::string>& outputs,
                            const std::vector<Attribute>& attributes) {
  pbf_writer graph(node_bytes_);
  pbf_writer node(graph, graph_field::kNode);
  for (const Value& value : inputs) {
    node.add_string(node_field::kInput, value.name);
    read_.insert(value.name);
  }
  for (const std::string& name : outputs) node.add_string(node_field::kOutput, name);
  node.add_string(node_field::kName, "/" + outputs.front());
  node.add_string(node_field::kOperation, operation);
  for (const Attribute& attribute : attributes)
    node.add_message(node_field::kAttribute, attribute_bytes(attribute));
  ++nodes_;
}

std::vector<Value> GraphBuilder::node_with_outputs(int outputs, const std::string& operation,
                                                   const std::vector<Value>& inputs,
                                                   const std::vector<Attribute>& attributes) {
  std::vector<std::string> names;
  std::vector<Value> values;
  for (int index = 0; index < outputs; ++index) {
    names.push_back(name_of(operation));
    values.push_back({names.back()});
  }
  add_node(operation, inputs, names, attributes);
  return values;
}

Value GraphBuilder::node(const std::string& operation, const std::vector<Value>& inputs,
                         const std::vector<Attribute>& attributes) {
  return node_with_outputs(1, operation, inputs, attributes).front();
}

Value GraphBuilder::named_node(const std::string& output, const std::string& operation,
                               const std::vector<Value>& inputs,
                               const std::vector<Attribute>& attributes) {
  base::check(taken_[output]++ == 0, "GraphBuilder: two values of one name");
  add_node(operation, inputs, {output}, attributes);
  return {output};
}

/// Nodes go into a graph of their own; names and constants stay those of the whole.
Subgraph GraphBuilder::branch(const std::string& stem, const std::function<Value()>& build) {
  std::string outside;
  std::swap(node_bytes_, outside);
  const Value result = build();
  std::swap(node_bytes_, outside);
  Subgraph graph{std::move(outside)};
  pbf_writer writer(graph.bytes);
  writer.add_string(graph_field::kName, name_of(stem));
  pbf_writer(writer, graph_field::kOutput).add_string(1, result.name);  // types are inferred
  return graph;
}

Value GraphBuilder::choose(const Value& condition, const std::function<Value()>& then,
                           const std::function<Value()>& otherwise) {
  Subgraph first = branch("then", then), second = branch("else", otherwise);
  return node("If", {condition},
              {{"then_branch", std::move(first)}, {"else_branch", std::move(second)}});
}

std::string GraphBuilder::model(const ModelDescription& description) const {
  std::string graph = node_bytes_;
  pbf_writer writer(graph);
  writer.add_string(graph_field::kName, description.name);
  for (const Constant& constant : constants_)
    if (read_.contains(constant.name)) writer.add_message(graph_field::kConstant, constant.bytes);
  graph += input_bytes_ + output_bytes_;
  if (graph.size() > kMostBytes)
    throw base::UsageError("the network takes more than 2 GiB, which an ONNX file cannot hold",
                           "a bundle (asap-eval bundle) has no such limit");
  std::string bytes;
  pbf_writer model(bytes);
  model.add_int64(model_field::kFormatVersion, description.format_version);
  model.add_string(model_field::kProducer, description.producer);
  model.add_string(model_field::kProducerVersion, base::version());
  model.add_message(model_field::kGraph, graph);
  pbf_writer operators(model, model_field::kOperators);
  operators.add_string(1, "");
  operators.add_int64(2, description.operator_set);
  operators.commit();
  for (const auto& [key, value] : description.metadata) {
    pbf_writer entry(model, model_field::kMetadata);
    entry.add_string(1, key);
    entry.add_string(2, value);
    entry.commit();
  }
  return bytes;
}

template Value GraphBuilder::constant<float>(const std::string&, const tensor::Tensor<float>&);
template Value GraphBuilder::constant<double>(const std::string&, const tensor::Tensor<double>&);

}  // namespace asap::onnx
