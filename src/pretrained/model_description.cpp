#include "pretrained/model_description.h"

#include <map>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "pretrained/activation_names.h"
#include "pretrained/image_description.h"
#include "pretrained/json_fields.h"

namespace asap::pretrained {
namespace fs = std::filesystem;
namespace {

constexpr const char* kReadable =
    "BERT, MiniLM, DistilBERT and ViT are read: model_type bert, distilbert or vit, or a vit or "
    "deit of the package timm";

/// Why other families cannot be read.
const std::map<std::string, std::string> kRefusedFamilies = {
    {"albert", "its layers share their weights and its tokenizer is SentencePiece"},
    {"bart", "it is an encoder with a decoder, and its tokenizer is BPE"},
    {"beit", "it has relative positions"},
    {"camembert", "its tokenizer is SentencePiece"},
    {"deberta", "it has relative positions, and its tokenizer is BPE"},
    {"deberta-v2", "it has relative positions, and its tokenizer is SentencePiece"},
    {"deit", "its distillation token is a second class token (those of timm without it are read)"},
    {"dinov2", "it scales the outputs of its layers"},
    {"gpt2", "it is a decoder, and its tokenizer is BPE"},
    {"modernbert", "it has rotary positions, and its tokenizer is BPE"},
    {"mpnet", "it has relative positions (relative_attention_bias)"},
    {"nomic_bert", "it has rotary positions"},
    {"roberta", "its tokenizer is BPE"},
    {"swin", "its attention sees windows, with relative positions"},
    {"t5", "it has relative positions, and its tokenizer is SentencePiece"},
    {"xlm-roberta", "its tokenizer is SentencePiece"},
    {"xlnet", "it has relative positions, and its tokenizer is SentencePiece"},
};

Family family_of(const JsonFields& fields) {
  const std::string type = fields.text("model_type", "");
  if (type == "bert") return Family::bert;
  if (type == "distilbert") return Family::distilbert;
  if (type == "vit") return Family::vit;
  if (type.empty() && fields.has("architecture")) return Family::timm_vit;
  const auto refused = kRefusedFamilies.find(type);
  throw base::DataError(
      fields.source() +
          (type.empty()
               ? ": names no 'model_type'"
               : ": the model_type '" + io::excerpt(type) + "' cannot be read" +
                     (refused == kRefusedFamilies.end() ? std::string() : ": " + refused->second)),
      kReadable);
}

void refuse_what_is_computed_otherwise(const JsonFields& fields) {
  const std::string positions = fields.text("position_embedding_type", "absolute");
  if (positions != "absolute")
    throw base::DataError(fields.source() + ": position_embedding_type is '" +
                              io::excerpt(positions) +
                              "': only absolute learned positions are read, not relative ones",
                          kReadable);
  if (fields.truth("sinusoidal_pos_embds", false))
    throw base::DataError(
        fields.source() + ": sinusoidal_pos_embds is true: only learned positions are read",
        kReadable);
  if (fields.truth("is_decoder", false) || fields.truth("add_cross_attention", false))
    throw base::DataError(fields.source() + ": the model is a decoder: only encoders are read",
                          kReadable);
}

/// Keys of the sizes, which each family names in its own way.
struct SizeKeys {
  const char *width, *heads, *layers, *hidden, *activation;
};

SizeKeys size_keys(Family family) {
  if (family == Family::distilbert)
    return {"dim", "n_heads", "n_layers", "hidden_dim", "activation"};
  return {"hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size",
          "hidden_act"};
}

void describe_text_model(const JsonFields& fields, ModelDescription& description) {
  const SizeKeys keys = size_keys(description.family);
  config::ModelConfig& model = description.model;
  model.kind = config::ModelKind::text;
  model.attention.kind = config::AttentionKind::softmax;
  model.width = fields.count(keys.width, 1);
  model.heads = fields.count(keys.heads, 1);
  model.layers = fields.count(keys.layers, 1);
  model.mlp_ratio = static_cast<double>(fields.count(keys.hidden, 1)) / model.width;
  model.feed_forward.activation = activation_of(fields, keys.activation);
  model.vocabulary = fields.count("vocab_size", 2);
  model.max_tokens = fields.count("max_position_embeddings", 1);
  model.norm = config::NormPosition::post;
  model.norm_epsilon = fields.number("layer_norm_eps", 1e-12);
  model.embedding_norm = true;
  model.pooling = config::Pooling::first_token;
  if (description.family == Family::bert)
    description.token_types = fields.count("type_vocab_size", 0, 2);
}

}  // namespace

ModelDescription read_model_description(const fs::path& file) {
  const JsonFields fields(file);
  ModelDescription description;
  description.family = family_of(fields);
  refuse_what_is_computed_otherwise(fields);
  if (description.family == Family::vit || description.family == Family::timm_vit)
    description = read_image_description(fields, description.family, file.parent_path());
  else
    describe_text_model(fields, description);
  try {
    description.model.validate(fields.source());
  } catch (const base::UsageError& error) {  // in terms of this toolkit's keys
    throw base::DataError(error.what(), "is this the configuration of the model beside it?");
  }
  return description;
}

std::optional<config::Pooling> read_pooling(const fs::path& folder, int width) {
  const fs::path modules_file = folder / "modules.json";
  std::error_code ignored;
  if (!fs::exists(modules_file, ignored)) return std::nullopt;
  const io::Json modules = io::read_json(modules_file);
  std::string place;
  if (modules.is_array())
    for (const io::Json& module : modules)
      if (module.is_object() && module.contains("type") && module["type"].is_string() &&
          module["type"].get<std::string>().ends_with(".Pooling") && module.contains("path") &&
          module["path"].is_string())
        place = module["path"].get<std::string>();
  if (place.empty())
    throw base::DataError(modules_file.string() + ": names no module of type Pooling with its path",
                          "fetch the model again, or remove this file");
  const JsonFields fields(folder / place / "config.json");
  if (fields.count("word_embedding_dimension", 1, width) != width)
    throw base::DataError(fields.source() + ": word_embedding_dimension is " +
                              std::to_string(fields.count("word_embedding_dimension", 1)) +
                              ", the model has width " + std::to_string(width),
                          "the file belongs to another model");
  std::vector<std::string> modes;
  for (const auto& [key, value] : fields.json().items())
    if (key.starts_with("pooling_mode_") && fields.truth(key, false)) modes.push_back(key);
  if (modes.size() == 1 && modes.front() == "pooling_mode_mean_tokens")
    return config::Pooling::mean;
  if (modes.size() == 1 && modes.front() == "pooling_mode_cls_token")
    return config::Pooling::first_token;
  throw base::DataError(
      fields.source() + ": names " + (modes.empty() ? "no pooling" : base::join(modes, " and ")),
      "one of pooling_mode_mean_tokens and pooling_mode_cls_token is read");
}

}  // namespace asap::pretrained
