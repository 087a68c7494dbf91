#include "pretrained/tensor_names.h"

#include <algorithm>

namespace asap::pretrained {
namespace {

/// Names of a family, layers after "encoder.layer.L.".
struct FamilyNames {
  const char* title;
  const char* layers;  // before the number of a layer
  const char *query, *key, *value, *fused, *output, *attention_norm, *up, *down, *feed_forward_norm;
};

constexpr FamilyNames kBert = {"BERT",
                               "encoder.layer.",
                               "attention.self.query",
                               "attention.self.key",
                               "attention.self.value",
                               "attention.self.qkv",
                               "attention.output.dense",
                               "attention.output.LayerNorm",
                               "intermediate.dense",
                               "output.dense",
                               "output.LayerNorm"};
constexpr FamilyNames kDistilbert = {"DistilBERT",        "transformer.layer.", "attention.q_lin",
                                     "attention.k_lin",   "attention.v_lin",    "attention.qkv",
                                     "attention.out_lin", "sa_layer_norm",      "ffn.lin1",
                                     "ffn.lin2",          "output_layer_norm"};

const FamilyNames& names_of(Family family) {
  return family == Family::distilbert ? kDistilbert : kBert;
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
      for (const char* part : {names.query, names.key, names.value})
        origin.parts.push_back(before + part + kind);
      list_.push_back(origin);
    }
  }

  void add_table(const std::string& here, const std::string& there, const tensor::Shape& shape) {
    list_.push_back({here, {there}, {}, shape, false});
  }

  std::vector<TensorOrigin> take() { return std::move(list_); }

 private:
  std::vector<TensorOrigin> list_;
};

}  // namespace

std::vector<TensorOrigin> tensor_origins(const ModelDescription& description) {
  const FamilyNames& names = names_of(description.family);
  const config::ModelConfig& model = description.model;
  const std::int64_t width = model.width, hidden = model.hidden_width();
  OriginList list;
  list.add_table("embedding.token", token_name(description.family), {model.vocabulary, width});
  list.add_table("embedding.position", "embeddings.position_embeddings.weight",
                 {model.max_tokens, width});
  list.add("embedding.norm", "embeddings.LayerNorm", {width}, width);
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
  if (description.family == Family::bert)
    list.add("pooler", "pooler.dense", {width, width}, width, true);
  return list.take();
}

std::string token_type_name(Family family) {
  return family == Family::bert ? "embeddings.token_type_embeddings.weight" : "";
}

std::string token_name(Family /*family*/) { return "embeddings.word_embeddings.weight"; }

std::vector<std::string> prefixes(Family family) {
  return family == Family::distilbert ? std::vector<std::string>{"", "distilbert."}
                                      : std::vector<std::string>{"", "bert."};
}

bool is_left_out(const std::string& name) {
  const std::vector<std::string> heads{"cls.",
                                       "classifier.",
                                       "pre_classifier.",
                                       "vocab_transform.",
                                       "vocab_layer_norm.",
                                       "vocab_projector.",
                                       "qa_outputs.",
                                       "lm_head."};
  return name == "embeddings.position_ids" ||
         std::ranges::any_of(heads,
                             [&](const std::string& head) { return name.starts_with(head); });
}

const char* family_name(Family family) { return names_of(family).title; }

}  // namespace asap::pretrained
