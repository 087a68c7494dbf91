#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <protozero/pbf_reader.hpp>

namespace asap::test {

/// What tests read of an ONNX file. Field numbers: onnx.proto.
struct OnnxNode;

/// A graph within a node.
struct OnnxBranch {
  std::string name, output;
  std::vector<OnnxNode> nodes;
};

struct OnnxNode {
  std::string operation, name;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, float> reals;
  std::map<std::string, std::int64_t> integers;
  std::map<std::string, std::vector<std::int64_t>> lists;
  std::map<std::string, OnnxBranch> graphs;
};

struct OnnxConstant {
  std::vector<std::int64_t> sizes;
  std::int32_t type = 0;
  std::string bytes;
};

struct OnnxModel {
  std::int64_t format_version = 0, operator_set = 0;
  std::string producer, graph_name;
  std::map<std::string, std::string> metadata;
  std::vector<OnnxNode> nodes;
  std::map<std::string, OnnxConstant> constants;
  /// Name -> element type and dimensions in words: {"uint8", ...} is "2[batch,1,28,28]".
  std::map<std::string, std::string> inputs, outputs;

  std::int64_t count(const std::string& operation) const {
    std::int64_t found = 0;
    for (const OnnxNode& node : nodes) found += node.operation == operation;
    return found;
  }
};

inline OnnxBranch read_onnx_branch(protozero::pbf_reader reader);

inline OnnxNode read_onnx_node(protozero::pbf_reader reader) {
  OnnxNode node;
  while (reader.next()) switch (reader.tag()) {
      case 1:
        node.inputs.push_back(reader.get_string());
        break;
      case 2:
        node.outputs.push_back(reader.get_string());
        break;
      case 3:
        node.name = reader.get_string();
        break;
      case 4:
        node.operation = reader.get_string();
        break;
      case 5: {
        protozero::pbf_reader attribute = reader.get_message();
        std::string name;
        while (attribute.next()) switch (attribute.tag()) {
            case 1:
              name = attribute.get_string();
              break;
            case 2:
              node.reals[name] = attribute.get_float();
              break;
            case 3:
              node.integers[name] = attribute.get_int64();
              break;
            case 6:
              node.graphs[name] = read_onnx_branch(attribute.get_message());
              break;
            case 8:
              node.lists[name].push_back(attribute.get_int64());
              break;
            default:
              attribute.skip();
          }
        break;
      }
      default:
        reader.skip();
    }
  return node;
}

inline OnnxBranch read_onnx_branch(protozero::pbf_reader reader) {
  OnnxBranch branch;
  while (reader.next()) switch (reader.tag()) {
      case 1:
        branch.nodes.push_back(read_onnx_node(reader.get_message()));
        break;
      case 2:
        branch.name = reader.get_string();
        break;
      case 12: {
        protozero::pbf_reader output = reader.get_message();
        if (output.next(1)) branch.output = output.get_string();
        break;
      }
      default:
        reader.skip();
    }
  return branch;
}

/// "2[batch,1,28,28]" of a TypeProto.
inline std::string read_onnx_type(protozero::pbf_reader type) {
  std::string words;
  while (type.next(1)) {
    protozero::pbf_reader tensor = type.get_message();
    while (tensor.next()) {
      if (tensor.tag() == 1) {
        words += std::to_string(tensor.get_enum());
        continue;
      }
      protozero::pbf_reader shape = tensor.get_message();
      words += "[";
      while (shape.next(1)) {
        protozero::pbf_reader dimension = shape.get_message();
        if (words.back() != '[') words += ",";
        while (dimension.next())
          words +=
              dimension.tag() == 1 ? std::to_string(dimension.get_int64()) : dimension.get_string();
      }
      words += "]";
    }
  }
  return words;
}

inline void read_onnx_graph(protozero::pbf_reader reader, OnnxModel& model) {
  const auto named_type = [](protozero::pbf_reader value, std::map<std::string, std::string>& to) {
    std::string name;
    while (value.next()) {
      if (value.tag() == 1)
        name = value.get_string();
      else
        to[name] = read_onnx_type(value.get_message());
    }
  };
  while (reader.next()) switch (reader.tag()) {
      case 1:
        model.nodes.push_back(read_onnx_node(reader.get_message()));
        break;
      case 2:
        model.graph_name = reader.get_string();
        break;
      case 5: {
        protozero::pbf_reader tensor = reader.get_message();
        OnnxConstant constant;
        std::string name;
        while (tensor.next()) switch (tensor.tag()) {
            case 1:
              constant.sizes.push_back(tensor.get_int64());
              break;
            case 2:
              constant.type = tensor.get_enum();
              break;
            case 8:
              name = tensor.get_string();
              break;
            case 9:
              constant.bytes = tensor.get_bytes();
              break;
            default:
              tensor.skip();
          }
        model.constants[name] = constant;
        break;
      }
      case 11:
        named_type(reader.get_message(), model.inputs);
        break;
      case 12:
        named_type(reader.get_message(), model.outputs);
        break;
      default:
        reader.skip();
    }
}

inline OnnxModel read_onnx(const std::string& bytes) {
  OnnxModel model;
  protozero::pbf_reader reader(bytes);
  while (reader.next()) switch (reader.tag()) {
      case 1:
        model.format_version = reader.get_int64();
        break;
      case 2:
        model.producer = reader.get_string();
        break;
      case 7:
        read_onnx_graph(reader.get_message(), model);
        break;
      case 8: {
        protozero::pbf_reader set = reader.get_message();
        while (set.next(2)) model.operator_set = set.get_int64();
        break;
      }
      case 14: {
        protozero::pbf_reader entry = reader.get_message();
        std::string key;
        while (entry.next()) {
          const bool is_key = entry.tag() == 1;
          const std::string text = entry.get_string();
          if (is_key)
            key = text;
          else
            model.metadata[key] = text;
        }
        break;
      }
      default:
        reader.skip();
    }
  return model;
}

}  // namespace asap::test
