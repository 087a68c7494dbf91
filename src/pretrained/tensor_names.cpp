#include "pretrained/tensor_names.h"

#include <algorithm>

#include "base/error.h"

namespace asap::pretrained {
namespace {

/// Names of a family. Those from `query` on stand behind `layers` and the number of a layer.
struct FamilyNames {
  const char* title;
  const char* marking;
  std::vector<std::string> prefixes;
  const char *positions, *patches, *class_token;  // the latter two of images
  const char* last_norm;                          // embedding's norm or, of images, the final one
  const char* pooler;                             // empty: there is never one
  const char* layers;
  const char *query, *key, *value;  // empty: always fused
  const char *fused, *output, *attention_norm, *up, *down, *feed_forward_norm;
  std::vector<std::string> left_out;  // beginnings of names
};

const std::vector<std::string> kTextHeads = {"cls.",
                                             "classifier.",
                                             "pre_classifier.",
                                             "vocab_transform.",
                                             "vocab_layer_norm.",
                                             "vocab_projector.",
                                             "qa_outputs.",
                                             "lm_head.",
                                             "embeddings.position_ids"};

const FamilyNames& names_of(Family family) {
  static const FamilyNames bert{.title = "BERT",
                                .marking = "embeddings.word_embeddings.weight",
                                .prefixes = {"", "bert."},
                                .positions = "embeddings.position_embeddings.weight",
                                .patches = "",
                                .class_token = "",
                                .last_norm = "embeddings.LayerNorm",
                                .pooler = "pooler.dense",
                                .layers = "encoder.layer.",
                                .query = "attention.self.query",
                                .key = "attention.self.key",
                                .value = "attention.self.value",
                                .fused = "attention.self.qkv",
                                .output = "attention.output.dense",
                                .attention_norm = "attention.output.LayerNorm",
                                .up = "intermediate.dense",
                                .down = "output.dense",
                                .feed_forward_norm = "output.LayerNorm",
                                .left_out = kTextHeads};
  static const FamilyNames distilbert{.title = "DistilBERT",
                                      .marking = "embeddings.word_embeddings.weight",
                                      .prefixes = {"", "distilbert."},
                                      .positions = "embeddings.position_embeddings.weight",
                                      .patches = "",
                                      .class_token = "",
                                      .last_norm = "embeddings.LayerNorm",
                                      .pooler = "",
                                      .layers = "transformer.layer.",
                                      .query = "attention.q_lin",
                                      .key = "attention.k_lin",
                                      .value = "attention.v_lin",
                                      .fused = "attention.qkv",
                                      .output = "attention.out_lin",
                                      .attention_norm = "sa_layer_norm",
                                      .up = "ffn.lin1",
                                      .down = "ffn.lin2",
                                      .feed_forward_norm = "output_layer_norm",
                                      .left_out = kTextHeads};
  static const FamilyNames vit{.title = "ViT",
                               .marking = "embeddings.cls_token",
                               .prefixes = {"", "vit."},
                               .positions = "embeddings.position_embeddings",
                               .patches = "embeddings.patch_embeddings.projection",
                               .class_token = "embeddings.cls_token",
                               .last_norm = "layernorm",
                               .pooler = "pooler.dense",
                               .layers = "encoder.layer.",
                               .query = "attention.attention.query",
                               .key = "attention.attention.key",
                               .value = "attention.attention.value",
                               .fused = "attention.attention.qkv",
                               .output = "attention.output.dense",
                               .attention_norm = "layernorm_before",
                               .up = "intermediate.dense",
                               .down = "output.dense",
                               .feed_forward_norm = "layernorm_after",
                               .left_out = {"classifier.", "decoder.", "embeddings.mask_token"}};
  static const FamilyNames timm{.title = "ViT of timm",
                                .marking = "cls_token",
                                .prefixes = {""},
                                .positions = "pos_embed",
                                .patches = "patch_embed.proj",
                                .class_token = "cls_token",
                                .last_norm = "norm",
                                .pooler = "",
                                .layers = "blocks.",
                                .query = "",
                                .key = "",
                                .value = "",
                                .fused = "attn.qkv",
                                .output = "attn.proj",
                                .attention_norm = "norm1",
                                .up = "mlp.fc1",
                                .down = "mlp.fc2",
                                .feed_forward_norm = "norm2",
                                .left_out = {"head."}};
  switch (family) {
    case Family::bert:
      return bert;
    case Family::distilbert:
      return distilbert;
    case Family::vit:
      return vit;
    case Family::timm_vit:
      return timm;
  }
  throw base::InternalError("names_of: unknown family");
}

/// Collects origins: each call adds weight and bias.
class OriginList {
 public:
  void add(const std::string& here, const std::string& there, const tensor::Shape& weight,
           std::int64_t bias, bool optional = false) {
    list_.push_back({here + ".weight", {there + ".weight"}, {}, weight, optional});
    list_.push_back({here + ".bias", {there + ".bias"}, {}, {bias}, optional});
  }

  void add_projections(const std::string& here, const std::string& before, const FamilyNames& names,
                       std::int64_t width) {
    for (const char* kind : {".weight", ".bias"}) {
      TensorOrigin origin{here + kind, {}, {before + names.fused + kind}, {3 * width}, false};
      if (std::string(kind) == ".weight") origin.shape = {3 * width, width};
      if (std::string(names.query).empty())
        std::swap(origin.parts, origin.fused);
      else
        for (const char* part : {names.query, names.key, names.value})
          origin.parts.push_back(before + part + kind);
      list_.push_back(origin);
    }
  }

  void add_table(const std::string& here, const std::string& there, const tensor::Shape& shape,
                 const tensor::Shape& stored = {}) {
    list_.push_back({here, {there}, {}, shape, false, stored});
  }

  std::vector<TensorOrigin> take() { return std::move(list_); }

 private:
  std::vector<TensorOrigin> list_;
};

void add_text_embedding(const FamilyNames& names, const config::ModelConfig& model,
                        OriginList& list) {
  const std::int64_t width = model.width;
  list.add_table("embedding.token", names.marking, {model.vocabulary, width});
  list.add_table("embedding.position", names.positions, {model.max_tokens, width});
  list.add("embedding.norm", names.last_norm, {width}, width);
}

/// The projection of patches is a convolution there whose steps are as wide as its kernel.
void add_image_embedding(const FamilyNames& names, const config::ModelConfig& model,
                         OriginList& list) {
  const std::int64_t width = model.width, tokens = model.tokens(), patch = model.patch;
  list.add_table("embedding.patch.weight", names.patches + std::string(".weight"),
                 {width, model.patch_size()}, {width, model.channels, patch, patch});
  list.add_table("embedding.patch.bias", names.patches + std::string(".bias"), {width});
  list.add_table("embedding.position", names.positions, {tokens, width}, {1, tokens, width});
  list.add_table("embedding.class_token", names.class_token, {width}, {1, 1, width});
  list.add("final_norm", names.last_norm, {width}, width);
}

}  // namespace

std::vector<TensorOrigin> tensor_origins(const ModelDescription& description) {
  const FamilyNames& names = names_of(description.family);
  const config::ModelConfig& model = description.model;
  const std::int64_t width = model.width, hidden = model.hidden_width();
  OriginList list;
  if (model.reads_images())
    add_image_embedding(names, model, list);
  else
    add_text_embedding(names, model, list);
  for (int layer = 0; layer < model.layers; ++layer) {
    const std::string here = "layers." + std::to_string(layer) + ".";
    const std::string there = names.layers + std::to_string(layer) + ".";
    list.add_projections(here + "attention.qkv", there, names, width);
    list.add(here + "attention.output", there + names.output, {width, width}, width);
    list.add(here + "attention_norm", there + names.attention_norm, {width}, width);
    list.add(here + "feed_forward.up", there + names.up, {hidden, width}, hidden);
    list.add(here + "feed_forward.down", there + names.down, {width, hidden}, width);
    list.add(here + "feed_forward_norm", there + names.feed_forward_norm, {width}, width);
  }
  if (!std::string(names.pooler).empty())
    list.add("pooler", names.pooler, {width, width}, width, true);
  return list.take();
}

std::string token_type_name(Family family) {
  return family == Family::bert ? "embeddings.token_type_embeddings.weight" : "";
}

std::string marking_name(Family family) { return names_of(family).marking; }

std::vector<std::string> prefixes(Family family) { return names_of(family).prefixes; }

bool is_left_out(const std::string& name, Family family) {
  return std::ranges::any_of(names_of(family).left_out, [&](const std::string& beginning) {
    return name.starts_with(beginning);
  });
}

const char* family_name(Family family) { return names_of(family).title; }

}  // namespace asap::pretrained
