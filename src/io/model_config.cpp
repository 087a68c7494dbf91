#include "io/model_config.h"

#include <initializer_list>
#include <utility>

#include "base/text.h"

namespace asap {
namespace {

std::string describe_attention(const AttentionConfig& attention) {
  const std::string epsilon = "epsilon = " + format_number(attention.epsilon) +
                              (attention.learn_epsilon ? ", learned" : "");
  const std::string iterations = "T = " + std::to_string(attention.iterations) + ", ";
  switch (attention.kind) {
    case AttentionKind::softmax:
      return "softmax attention";
    case AttentionKind::sinkhorn:
      return "Sinkhorn attention (" + iterations + epsilon + ")";
    case AttentionKind::sinkformer:
      return "Sinkformer attention (" + iterations + epsilon + ", detached column dual)";
    case AttentionKind::espformer:
      return "ESPFormer attention (" +
             (attention.slices == 0 ? "all" : std::to_string(attention.slices)) + " slices, " +
             epsilon + ")";
    case AttentionKind::lotformer:
      return "LOTFormer attention (" + std::to_string(attention.pivots) + " pivots, " + iterations +
             epsilon + ")";
    case AttentionKind::differential:
      return "differential attention";
  }
  throw InternalError("describe_attention: unknown kind");
}

/// What only some kinds of attention ask of a head's width.
void validate_head_width(const AttentionConfig& attention, int head_width,
                         const std::string& source) {
  const std::string found = " (model.width / model.heads is " + std::to_string(head_width) + ")";
  if (attention.kind == AttentionKind::differential && head_width % 2 != 0)
    throw UsageError(
        source + ": differential attention halves its heads: their width must be even" + found,
        "choose another model.width or model.heads");
  if (attention.kind == AttentionKind::espformer && attention.slices > head_width)
    throw UsageError(source + ": model.attention.slices (" + std::to_string(attention.slices) +
                         ") must not exceed the width of a head" + found,
                     "0 takes every coordinate");
}

}  // namespace

void ModelConfig::validate(const std::string& source) const {
  check_field_ranges(*this, source);
  if (width % heads != 0)
    throw UsageError(source + ": model.width (" + std::to_string(width) +
                         ") must be a multiple of model.heads (" + std::to_string(heads) + ")",
                     "try --set model.width=" + std::to_string((width / heads + 1) * heads));
  validate_head_width(attention, head_width(), source);
  for (const auto& [name, pixels] :
       {std::pair("image_height", image_height), std::pair("image_width", image_width)})
    if (pixels % patch != 0)
      throw UsageError(source + ": model.patch (" + std::to_string(patch) + ") must divide model." +
                           name + " (" + std::to_string(pixels) + ")",
                       "choose a patch that divides the image's height and width");
  if (hidden_width() < 1)
    throw UsageError(source + ": model.mlp_ratio leaves no hidden unit for model.width " +
                     std::to_string(width));
}

void ModelConfig::validate_complete(const std::string& source) const {
  validate(source);
  for (const auto& [name, size] :
       {std::pair("image_height", image_height), std::pair("image_width", image_width),
        std::pair("channels", channels), std::pair("classes", classes)})
    if (size == 0)
      throw UsageError(source + ": model." + name + " is 0, its size must be known here");
}

std::string describe_model(const ModelConfig& model) {
  return "ViT, " + std::to_string(model.layers) + " layers, width " + std::to_string(model.width) +
         ", " + std::to_string(model.heads) + " heads, " + std::to_string(model.tokens()) +
         " tokens, " + describe_attention(model.attention);
}

}  // namespace asap
