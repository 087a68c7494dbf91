#include "io/model_config.h"

#include <initializer_list>
#include <utility>

#include "base/text.h"

namespace asap {
namespace {

std::string describe_attention(const AttentionConfig& attention) {
  if (attention.kind == AttentionKind::softmax) return "softmax attention";
  return "Sinkhorn attention (T = " + std::to_string(attention.iterations) +
         ", epsilon = " + format_number(attention.epsilon) +
         (attention.learn_epsilon ? ", learned)" : ")");
}

}  // namespace

void ModelConfig::validate(const std::string& source) const {
  check_field_ranges(*this, source);
  if (width % heads != 0)
    throw UsageError(source + ": model.width (" + std::to_string(width) +
                         ") must be a multiple of model.heads (" + std::to_string(heads) + ")",
                     "try --set model.width=" + std::to_string((width / heads + 1) * heads));
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
