#include "region/network/export_c.h"

#include <algorithm>

#include "base/text.h"
#include "region/network/c_text.h"

namespace asap::region {
namespace {

/// How the numbers of a type are written.
struct Writer {
  const char* type;
  std::string (*literal)(double);
};
constexpr Writer kInDouble{"double", c_literal}, kInFloat{"float", c_float_literal};

std::string term(double weight, const std::string& value, bool first, const Writer& writer) {
  const std::string sign = first ? (weight < 0 ? "-" : "") : (weight < 0 ? " - " : " + ");
  const double size = weight < 0 ? -weight : weight;
  return sign + (size == 1 ? value : writer.literal(size) + " * " + value);
}

/// inputs: the number of inputs of the network.
std::string neuron(std::int64_t layer, std::int64_t index, std::int64_t inputs) {
  if (layer == 0) return inputs == 1 ? "x" : "x[" + std::to_string(index) + "]";
  return "h" + std::to_string(layer) + "_" + std::to_string(index);
}

/// b + sum_j w_j h_j without zero weights.
std::string affine(const ReluNetwork& network, std::int64_t layer_index, std::int64_t row,
                   const Writer& writer) {
  const DenseLayer& layer = network.layers[static_cast<std::size_t>(layer_index)];
  std::string text;
  for (std::int64_t j = 0; j < layer.inputs(); ++j)
    if (layer.w(row, j) != 0)
      text += term(layer.w(row, j), neuron(layer_index, j, network.inputs()), text.empty(), writer);
  const double bias = layer.bias[static_cast<std::size_t>(row)];
  if (text.empty()) return writer.literal(bias);
  if (bias != 0) text += (bias < 0 ? " - " : " + ") + writer.literal(bias < 0 ? -bias : bias);
  return text;
}

std::string described(const StoredNetwork& stored, const std::string& comment) {
  std::string first_line = comment;
  std::replace(first_line.begin(), first_line.end(), '\n', ' ');
  std::string text = first_line + "\nReLU network, depth " +
                     std::to_string(stored.network.depth()) + ", " +
                     std::to_string(stored.network.nonzero_count()) + " weights that are not zero";
  if (stored.interval)
    text += ", fitted on [" + base::format_number(stored.interval->low) + ", " +
            base::format_number(stored.interval->high) + "]";
  for (std::size_t j = 0; j < stored.inputs.size(); ++j) {
    std::string name = stored.inputs[j];
    std::replace(name.begin(), name.end(), '\n', ' ');
    text += (j == 0 ? ";\nx: " : ", ") + name;
  }
  return text + ".";
}

}  // namespace

std::string export_c_header(const StoredNetwork& stored, const std::string& name,
                            const std::string& comment, CNumber number) {
  const Writer& writer = number == CNumber::float32 ? kInFloat : kInDouble;
  const ReluNetwork& network = stored.network;
  const std::string type = writer.type, zero = writer.literal(0);
  CHeader header(name, described(stored, comment));
  header.add("static inline " + type + " " + name +
             (network.inputs() == 1 ? "(" + type + " x) {\n" : "(const " + type + "* x) {\n"));
  const auto layers = static_cast<std::int64_t>(network.layers.size());
  for (std::int64_t l = 0; l < layers; ++l) {
    const DenseLayer& layer = network.layers[static_cast<std::size_t>(l)];
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      const std::string value = affine(network, l, k, writer);
      if (l + 1 == layers) {
        header.add("  return " + value + ";\n");
        continue;
      }
      const std::string after = neuron(l + 1, k, network.inputs()), sum = "z" + after.substr(1);
      header.add("  const " + type + " " + sum + " = " + value + ";\n");
      header.add("  const " + type + " " + after + " = " + sum + " > " + zero + " ? " + sum +
                 " : " + zero + ";\n");
    }
  }
  header.add("}\n");
  return header.text();
}

}  // namespace asap::region
