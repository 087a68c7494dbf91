#include "c_source/network_constants.h"

#include "infer/weights.h"
#include "tensor/kernels/channel_networks.h"
#include "tensor/kernels/point_features.h"

namespace asap::c_source {
namespace {

using config::ModelKind;

std::string entry(const char* name, std::int64_t value) {
  return "  " + std::string(name) + " = " + std::to_string(value) + ",\n";
}

const char* pooling_of(const config::ModelConfig& model) {
  if (model.labels_tokens()) return "POOLING_NONE";
  const bool first = model.has_class_token() || model.pooling == config::Pooling::first_token;
  return first ? "POOLING_FIRST" : "POOLING_MEAN";
}

const char* activation_of(const config::FeedForwardConfig& config) {
  switch (config.activation) {
    case config::Activation::relu:
      return "ACTIVATION_RELU";
    case config::Activation::gelu_erf:
      return "ACTIVATION_GELU_ERF";
    case config::Activation::gelu:
      break;
  }
  return "ACTIVATION_GELU";
}

bool has_regions(const config::ModelConfig& model) {
  return model.feed_forward.kind == config::FeedForwardKind::region;
}

std::string sizes_of_input(const config::ModelConfig& model) {
  if (model.kind == ModelKind::vit)
    return entry("CHANNELS", model.channels) + entry("IMAGE_HEIGHT", model.image_height) +
           entry("IMAGE_WIDTH", model.image_width) + entry("PATCH", model.patch) +
           entry("PATCH_SIZE", model.patch_size()) + entry("TOKENS", model.tokens());
  const std::string most = entry("MOST_TOKENS", model.has_positions() ? model.max_tokens : 0);
  if (model.kind == ModelKind::text)
    return most + entry("SEQUENCE_WIDTH", 1) + entry("VOCABULARY", model.vocabulary) +
           entry("SEPARATOR", model.has_segments() ? model.separator : -1);
  return most + entry("SEQUENCE_WIDTH", model.point_width) +
         entry("POINT_WIDTH", model.point_width) +
         entry("POINT_FREQUENCIES", model.point_frequencies) +
         entry("POINT_FEATURES", embedded_numbers(model));
}

/// W [out, in] of a checkpoint -> [in, out], whose rows are added up.
std::vector<float> transposed(const tensor::Tensor<float>& weight) {
  const tensor::MatrixView<const float> from = weight.rows();
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(from.rows * from.cols));
  for (std::int64_t j = 0; j < from.cols; ++j)
    for (std::int64_t i = 0; i < from.rows; ++i) out.push_back(from(i, j));
  return out;
}

/// Writes the tensors of a checkpoint as initialisers of `affine`.
class AffineTables {
 public:
  AffineTables(const io::TensorFile& weights, Constants& constants)
      : weights_(weights), constants_(constants) {}

  std::string linear(const std::string& name, std::int64_t out, std::int64_t in) {
    const infer::AffineWeights read = infer::take_linear(weights_, name, out, in);
    return pair(name, transposed(read.weight), read.bias.flat());
  }
  std::string norm(const std::string& name, std::int64_t width) {
    const infer::AffineWeights read = infer::take_norm(weights_, name, width);
    return pair(name, read.weight.flat(), read.bias.flat());
  }
  std::string array(const std::string& name, const tensor::Shape& shape) {
    return constants_.array(name, infer::take_weights(weights_, name, shape).flat());
  }

 private:
  std::string pair(const std::string& name, tensor::VectorView<const float> weight,
                   tensor::VectorView<const float> bias) {
    const std::string first = constants_.array(name + ".weight", weight);
    return "{" + first + ", " + constants_.array(name + ".bias", bias) + "}";
  }

  const io::TensorFile& weights_;
  Constants& constants_;
};

std::string layer_initialiser(const config::ModelConfig& model, int index, AffineTables& tables) {
  const std::string prefix = "layers." + std::to_string(index) + ".";
  const std::int64_t width = model.width, hidden = model.hidden_width();
  std::string text = "    {" + tables.norm(prefix + "attention_norm", width);
  text += ",\n     " + tables.linear(prefix + "attention.qkv", 3 * width, width);
  text += ",\n     " + tables.linear(prefix + "attention.output", width, width);
  text += ",\n     " + tables.norm(prefix + "feed_forward_norm", width);
  text += ",\n     " + tables.linear(prefix + "feed_forward.up", hidden, width);
  text += ",\n     " + tables.linear(prefix + "feed_forward.down", width, hidden);
  text += ",\n     ";
  text +=
      has_regions(model)
          ? tables.array(prefix + "feed_forward.regions.weights",
                         {tensor::ChannelNetworkLayout{model.feed_forward.depth}.count(), hidden})
          : "NULL";
  return text + ", heads_" + std::to_string(index) + "},\n";
}

std::string embedding_tables(const config::ModelConfig& model, AffineTables& tables) {
  const std::int64_t width = model.width;
  const auto affine = [](const char* name, const std::string& value) {
    return "static const affine " + std::string(name) + " = " + value + ";\n";
  };
  const auto floats = [](const char* name, const std::string& value) {
    return "static const float *const " + std::string(name) + " = " + value + ";\n";
  };
  const std::string none = "{NULL, NULL}";
  std::string text;
  if (model.kind == ModelKind::text)
    text += floats("token_table", tables.array("embedding.token", {model.vocabulary, width})) +
            floats("second_segment",
                   model.has_segments() ? tables.array("embedding.segment", {width}) : "NULL");
  else
    text +=
        affine("token_embedding",
               tables.linear(model.kind == ModelKind::vit ? "embedding.patch" : "embedding.point",
                             width, embedded_numbers(model)));
  text += floats("class_token",
                 model.has_class_token() ? tables.array("embedding.class_token", {width}) : "NULL");
  text += floats("positions", model.has_positions()
                                  ? tables.array("embedding.position", {model.tokens(), width})
                                  : "NULL");
  text +=
      affine("embedding_norm", model.embedding_norm ? tables.norm("embedding.norm", width) : none);
  text += affine("final_norm", model.has_final_norm() ? tables.norm("final_norm", width) : none);
  text += affine("pooler", model.pooler ? tables.linear("pooler", width, width) : none);
  return text + affine("classifier", tables.linear("head", model.classes, width));
}

}  // namespace

std::int64_t embedded_numbers(const config::ModelConfig& model) {
  switch (model.kind) {
    case ModelKind::vit:
      return model.patch_size();
    case ModelKind::set:
      return tensor::point_feature_count(model.point_width, model.point_frequencies);
    default:
      return 0;
  }
}

std::string public_constants(const config::ModelConfig& model) {
  std::string text = "enum {\n" + entry("MACRO_CLASSES", model.classes);
  if (model.kind == ModelKind::vit) {
    text += entry("MACRO_CHANNELS", model.channels) +
            entry("MACRO_IMAGE_HEIGHT", model.image_height) +
            entry("MACRO_IMAGE_WIDTH", model.image_width);
  } else {
    if (model.kind == ModelKind::text) text += entry("MACRO_VOCABULARY", model.vocabulary);
    if (model.kind == ModelKind::set) text += entry("MACRO_POINT_WIDTH", model.point_width);
    if (model.has_positions()) text += entry("MACRO_MOST_TOKENS", model.max_tokens);
  }
  text.erase(text.size() - 2);  // C90 and C++ before 11 allow no comma at the end
  return text + "\n};\n";
}

std::string private_constants(const NetworkToWrite& network) {
  const config::ModelConfig& model = network.model;
  std::string text = "enum {\n  POOLING_MEAN,\n  POOLING_FIRST,\n  POOLING_NONE,\n  POOLING = " +
                     std::string(pooling_of(model)) +
                     "\n};\nenum {\n  ACTIVATION_GELU,\n  ACTIVATION_GELU_ERF,\n  "
                     "ACTIVATION_RELU,\n  ACTIVATION = " +
                     activation_of(model.feed_forward) + "\n};\nenum {\n";
  text += sizes_of_input(model) + entry("CLASSES", model.classes) + entry("WIDTH", model.width) +
          entry("LAYERS", model.layers) + entry("HEADS", model.heads) +
          entry("HEAD_WIDTH", model.head_width()) + entry("HIDDEN", model.hidden_width()) +
          entry("REGION_DEPTH", has_regions(model) ? model.feed_forward.depth : 0) +
          entry("CLASS_TOKEN", model.has_class_token()) +
          entry("POSITIONS", model.has_positions()) +
          entry("EMBEDDING_NORM", model.embedding_norm) +
          entry("NORM_FIRST", model.norm == config::NormPosition::pre) +
          entry("FINAL_NORM", model.has_final_norm()) + entry("POOLER", model.pooler);
  text.erase(text.size() - 2);
  text += "\n};\n#define NORM_EPSILON " + double_literal(model.norm_epsilon) + "\n";
  if (model.kind == ModelKind::vit)
    text += "#define PIXEL_MEAN " + double_literal(network.pixel_mean) +
            "\n#define PIXEL_DEVIATION " + double_literal(network.pixel_deviation) + "\n";
  return text;
}

std::string encoder_tables(const NetworkToWrite& network, Constants& constants) {
  AffineTables tables(network.weights, constants);
  std::string text = "static const encoder_layer encoder_layers[] = {\n";
  for (int index = 0; index < network.model.layers; ++index)
    text += layer_initialiser(network.model, index, tables);
  text += "};\n";
  return text + embedding_tables(network.model, tables);
}

}  // namespace asap::c_source
