#include "config/model_config.h"

#include <initializer_list>
#include <tuple>
#include <utility>

#include "base/counted.h"
#include "base/text.h"

namespace asap::config {
namespace {

std::string describe_slack(const AttentionConfig& attention) {
  if (attention.slack == SlackKind::none) return "";
  return std::string(", slack ") + (attention.slack == SlackKind::learned ? "learned from " : "") +
         base::format_number(attention.slack_start);
}

std::string describe_attention(const AttentionConfig& attention) {
  const std::string epsilon = "epsilon = " + base::format_number(attention.epsilon) +
                              (attention.learn_epsilon ? ", learned" : "");
  const std::string iterations = "T = " + std::to_string(attention.iterations) + ", ";
  switch (attention.kind) {
    case AttentionKind::softmax:
      return "softmax attention";
    case AttentionKind::sinkhorn:
      return "Sinkhorn attention (" + iterations + epsilon + describe_slack(attention) + ")";
    case AttentionKind::sinkformer:
      return "Sinkformer attention (" + iterations + epsilon + ", detached column dual)";
    case AttentionKind::espformer:
      return "ESPFormer attention (" +
             (attention.slices == 0 ? "all slices" : base::counted(attention.slices, "slice")) +
             ", " + epsilon + ")";
    case AttentionKind::lotformer:
      return "LOTFormer attention (" + base::counted(attention.pivots, "pivot") + ", " +
             iterations + epsilon + ")";
    case AttentionKind::differential:
      return "differential attention";
  }
  throw base::InternalError("describe_attention: unknown kind");
}

/// The feed-forward part as far as it differs from the default.
std::string describe_feed_forward(const FeedForwardConfig& config) {
  if (config.kind == FeedForwardKind::region)
    return ", region-constrained activations of depth " + std::to_string(config.depth);
  if (config.activation == Activation::gelu_erf) return ", exact GELU";
  return config.activation == Activation::relu ? ", ReLU" : "";
}

/// The requirements that some attention kinds have on the width of a head.
void validate_head_width(const AttentionConfig& attention, int head_width,
                         const std::string& source) {
  const std::string found = " (model.width / model.heads is " + std::to_string(head_width) + ")";
  if (attention.kind == AttentionKind::differential && head_width % 2 != 0)
    throw base::UsageError(
        source + ": differential attention halves its heads: their width must be even" + found,
        "choose another model.width or model.heads");
  if (attention.kind == AttentionKind::espformer && attention.slices > head_width)
    throw base::UsageError(source + ": model.attention.slices (" +
                               std::to_string(attention.slices) +
                               ") must not exceed the width of a head" + found,
                           "0 takes every coordinate");
}

/// What slack needs of the other settings.
void validate_slack(const AttentionConfig& attention, const std::string& source) {
  if (attention.slack == SlackKind::none) return;
  if (attention.kind != AttentionKind::sinkhorn)
    throw base::UsageError(source +
                               ": model.attention.slack bounds the column sums of Sinkhorn's "
                               "plan: it is for model.attention.kind sinkhorn only",
                           "leave model.attention.slack out, or set model.attention.kind=sinkhorn");
  if (attention.iterations < 1)
    throw base::UsageError(source +
                               ": model.attention.slack needs at least one Sinkhorn "
                               "iteration: without any, attention is softmax attention",
                           "set model.attention.iterations=10, or leave model.attention.slack out");
  if (attention.gradient != SinkhornGradient::exact)
    throw base::UsageError(
        source + ": model.attention.slack has an exact gradient only, not an implicit one",
        "leave model.attention.gradient out");
  if (attention.slack == SlackKind::learned && !(attention.slack_start > 0))
    throw base::UsageError(source +
                               ": model.attention.slack_start must be above 0 where slack is "
                               "learned: its logarithm is trained",
                           "for example model.attention.slack_start=4");
}

/// "ViT", "text Transformer", ...
std::string describe_kind(const ModelConfig& model) {
  switch (model.kind) {
    case ModelKind::vit:
      return "ViT";
    case ModelKind::text:
      return "text Transformer";
    case ModelKind::set:
      return "set Transformer";
    case ModelKind::mlp:
    case ModelKind::convolutional:
      break;
  }
  throw base::InternalError("describe_kind: unknown kind");
}

const char* model_kind_name(ModelKind kind) {
  if (kind == ModelKind::vit) return "vit";
  return kind == ModelKind::set ? "set" : "text";
}

std::string describe_input(const ModelConfig& model) {
  if (model.kind == ModelKind::vit) return base::counted(model.tokens(), "token");
  if (model.kind == ModelKind::text)
    return base::counted(model.vocabulary, "token id") +
           (model.has_positions() ? ", up to " + base::counted(model.max_tokens, "token") : "");
  return "points of " + base::counted(model.point_width, "number") +
         (model.point_frequencies > 0
              ? " and " + base::counted(model.point_frequencies, "frequency", "frequencies")
              : "");
}

/// What pooling and pooler need of the other settings.
void validate_pooling(const ModelConfig& model, const std::string& source) {
  if (model.pooling == Pooling::first_token && model.kind != ModelKind::text)
    throw base::UsageError(source +
                               ": model.pooling first_token is for texts, whose first token "
                               "has a meaning: model.kind is " +
                               model_kind_name(model.kind),
                           "set model.pooling=mean or class_token");
  if (model.pooler && model.labels_tokens())
    throw base::UsageError(source +
                               ": model.pooler needs one vector per example, but "
                               "model.pooling none classifies every token",
                           "leave model.pooler out");
}

void validate_separator(const ModelConfig& model, const std::string& source) {
  if (model.separator > 0 && model.kind != ModelKind::text)
    throw base::UsageError(source + ": model.separator is a token id of texts, but model.kind is " +
                               model_kind_name(model.kind),
                           "leave model.separator out");
  if (model.vocabulary > 0 && model.separator >= model.vocabulary)
    throw base::UsageError(source + ": model.separator is " + std::to_string(model.separator) +
                               ", but there are " + std::to_string(model.vocabulary) + " token ids",
                           "leave model.separator out");
}

void validate_patches(const ModelConfig& model, const std::string& source) {
  for (const auto& [name, pixels] :
       {std::pair("image_height", model.image_height), std::pair("image_width", model.image_width)})
    if (pixels % model.patch != 0)
      throw base::UsageError(source + ": model.patch (" + std::to_string(model.patch) +
                                 ") must divide model." + name + " (" + std::to_string(pixels) +
                                 ")",
                             "choose a patch that divides the image's height and width");
}

void validate_convolutions(const ModelConfig& model, const std::string& source) {
  const ConvolutionConfig& convolution = model.convolution;
  if (convolution.channels.empty())
    throw base::UsageError(source + ": model.convolution.channels names no block",
                           "for example model.convolution.channels=[32,64,128]");
  if (convolution.blocks() > 16)
    throw base::UsageError(source + ": model.convolution.channels has " +
                               base::counted(convolution.blocks(), "block") +
                               ", and each halves the image",
                           "give at most 16 blocks");
  for (const auto& [name, pixels] :
       {std::pair("image_height", model.image_height), std::pair("image_width", model.image_width)})
    if (pixels > 0 && convolution.pooled(pixels) == 0)
      throw base::UsageError(source + ": model." + name + " is " + std::to_string(pixels) +
                                 ", too small to be halved by " +
                                 base::counted(convolution.blocks(), "block") +
                                 " of model.convolution.channels",
                             "give fewer blocks");
}

/// A network of hidden layers has nothing that belongs to tokens.
void validate_hidden_layers(const ModelConfig& model, const std::string& source) {
  const std::string kind =
      source + ": model.kind " + (model.has_convolutions() ? "convolutional" : "mlp");
  if (model.pooling != Pooling::mean)
    throw base::UsageError(kind + " has no tokens to pool", "leave model.pooling out");
  if (model.pooler || model.embedding_norm || model.norm != NormPosition::pre)
    throw base::UsageError(kind + " has no layer norms and no pooler",
                           "leave model.pooler, model.norm and model.embedding_norm out");
  if (model.product_precision != tensor::ProductPrecision::single)
    throw base::UsageError(kind + " has no encoder layers: model.product_precision is for those",
                           "leave model.product_precision out");
  if (model.has_convolutions()) validate_convolutions(model, source);
}

std::string describe_hidden_layers(const ModelConfig& model) {
  std::string text = "perceptron";
  if (model.has_convolutions()) {
    text = "convolutional network, " + base::counted(model.convolution.layers, "convolution") +
           " in each block of";
    for (int block = 0; block < model.convolution.blocks(); ++block)
      text += (block > 0 ? ", " : " ") +
              std::to_string(model.convolution.channels[static_cast<std::size_t>(block)]);
    text += " channels";
  }
  return text + ", " + base::counted(model.layers, "hidden layer") + " of width " +
         std::to_string(model.width) + describe_feed_forward(model.feed_forward);
}

}  // namespace

void ModelConfig::validate(const std::string& source) const {
  check_field_ranges(*this, source);
  if (!has_attention()) return validate_hidden_layers(*this, source);
  if (width % heads != 0)
    throw base::UsageError(source + ": model.width (" + std::to_string(width) +
                               ") must be a multiple of model.heads (" + std::to_string(heads) +
                               ")",
                           "try --set model.width=" + std::to_string((width / heads + 1) * heads));
  validate_head_width(attention, head_width(), source);
  validate_slack(attention, source);
  validate_pooling(*this, source);
  validate_separator(*this, source);
  if (kind == ModelKind::vit) validate_patches(*this, source);
  if (hidden_width() < 1)
    throw base::UsageError(source + ": model.mlp_ratio leaves no hidden unit for model.width " +
                           std::to_string(width));
}

void ModelConfig::validate_complete(const std::string& source) const {
  validate(source);
  const bool images = reads_images(), text = kind == ModelKind::text;
  const std::tuple<const char*, int, bool> sizes[] = {
      {"image_height", image_height, images},
      {"image_width", image_width, images},
      {"channels", channels, images},
      {"vocabulary", vocabulary, text},
      {"max_tokens", max_tokens, text && has_positions()},
      {"point_width", point_width, kind == ModelKind::set},
      {"classes", classes, true}};
  for (const auto& [name, size, needed] : sizes)
    if (needed && size == 0)
      throw base::UsageError(source + ": model." + name + " is 0, but its size must be known here");
}

std::string describe_model(const ModelConfig& model) {
  if (!model.has_attention()) return describe_hidden_layers(model);
  return describe_kind(model) + ", " + base::counted(model.layers, "layer") + ", width " +
         std::to_string(model.width) + ", " + base::counted(model.heads, "head") + ", " +
         describe_input(model) + ", " + describe_attention(model.attention) +
         describe_feed_forward(model.feed_forward) +
         (model.norm == NormPosition::post ? ", post-LN" : "") +
         (model.product_precision == tensor::ProductPrecision::bfloat16 ? ", bfloat16" : "");
}

}  // namespace asap::config
