#include "region/network/export_c.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"

namespace asap::region {
namespace {

void check_identifier(const std::string& name) {
  static constexpr std::array kKeywords = {
      "auto",    "bool",     "break",    "case",     "char",    "class",    "const",  "continue",
      "default", "delete",   "do",       "double",   "else",    "enum",     "extern", "float",
      "for",     "goto",     "if",       "inline",   "int",     "long",     "main",   "namespace",
      "new",     "operator", "return",   "short",    "signed",  "sizeof",   "static", "struct",
      "switch",  "template", "this",     "typedef",  "union",   "unsigned", "void",   "volatile",
      "while",   "x",        "register", "restrict", "private", "public",   "try",    "using"};
  bool good = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  for (const char c : name)
    good = good && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  if (!good || std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end())
    throw base::UsageError("`name` '" + name + "' cannot name a function in C",
                           "use letters, digits and _, for example `name` fitted_curve");
}

/// A literal that reads back as the same double.
std::string literal(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  std::string out = text;
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}

std::string term(double weight, const std::string& value, bool first) {
  const std::string sign = first ? (weight < 0 ? "-" : "") : (weight < 0 ? " - " : " + ");
  const double size = weight < 0 ? -weight : weight;
  return sign + (size == 1 ? value : literal(size) + " * " + value);
}

/// inputs: the number of inputs of the network.
std::string neuron(std::int64_t layer, std::int64_t index, std::int64_t inputs) {
  if (layer == 0) return inputs == 1 ? "x" : "x[" + std::to_string(index) + "]";
  return "h" + std::to_string(layer) + "_" + std::to_string(index);
}

/// b + sum_j w_j h_j without zero weights.
std::string affine(const ReluNetwork& network, std::int64_t layer_index, std::int64_t row) {
  const DenseLayer& layer = network.layers[static_cast<std::size_t>(layer_index)];
  std::string text;
  for (std::int64_t j = 0; j < layer.inputs(); ++j)
    if (layer.w(row, j) != 0)
      text += term(layer.w(row, j), neuron(layer_index, j, network.inputs()), text.empty());
  const double bias = layer.bias[static_cast<std::size_t>(row)];
  if (text.empty()) return literal(bias);
  if (bias != 0) text += (bias < 0 ? " - " : " + ") + literal(bias < 0 ? -bias : bias);
  return text;
}

/// Text that is safe inside a C comment.
std::string comment_text(std::string text) {
  for (std::size_t at = text.find("*/"); at != std::string::npos; at = text.find("*/"))
    text.replace(at, 2, "* /");
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::string export_c_header(const StoredNetwork& stored, const std::string& name,
                            const std::string& comment) {
  check_identifier(name);
  std::string guard = name + "_H";
  std::transform(guard.begin(), guard.end(), guard.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const ReluNetwork& network = stored.network;
  std::string out = "/* " + comment_text(comment) + "\n * ReLU network, depth " +
                    std::to_string(network.depth()) + ", " +
                    std::to_string(network.nonzero_count()) + " weights that are not zero";
  if (stored.interval)
    out += ", fitted on [" + base::format_number(stored.interval->low) + ", " +
           base::format_number(stored.interval->high) + "]";
  for (std::size_t j = 0; j < stored.inputs.size(); ++j)
    out += (j == 0 ? ";\n * x: " : ", ") + comment_text(stored.inputs[j]);
  out += ".\n */\n#ifndef " + guard + "\n#define " + guard + "\n\nstatic inline double " + name +
         (network.inputs() == 1 ? "(double x) {\n" : "(const double* x) {\n");
  const auto layers = static_cast<std::int64_t>(network.layers.size());
  for (std::int64_t l = 0; l < layers; ++l) {
    const DenseLayer& layer = network.layers[static_cast<std::size_t>(l)];
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      if (l + 1 == layers) {
        out += "  return " + affine(network, l, k) + ";\n";
        continue;
      }
      const std::string value = neuron(l + 1, k, network.inputs()), sum = "z" + value.substr(1);
      out += "  const double " + sum + " = " + affine(network, l, k) + ";\n";
      out += "  const double " + value + " = " + sum + " > 0.0 ? " + sum + " : 0.0;\n";
    }
  }
  return out + "}\n\n#endif\n";
}

}  // namespace asap::region
