#include "pretrained/image_description.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "pretrained/activation_names.h"

namespace asap::pretrained {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPlainVit =
    "a ViT with square images and patches, learned positions and one class token is read";

[[noreturn]] void refuse(const JsonFields& fields, const std::string& what) {
  throw base::DataError(fields.source() + ": " + what, kPlainVit);
}

/// A number for each channel; one number counts for all.
std::vector<double> by_channel(const JsonFields& fields, const char* key, int channels) {
  const io::Json& value = fields.json().at(key);
  if (value.is_number())
    return std::vector<double>(static_cast<std::size_t>(channels), value.get<double>());
  std::vector<double> numbers;
  if (value.is_array())
    for (const io::Json& number : value)
      if (number.is_number()) numbers.push_back(number.get<double>());
  if (std::ssize(numbers) != channels || std::ssize(numbers) != std::ssize(value))
    refuse(fields, std::string(key) + " is " + io::excerpt(io::format_json_line(value)) +
                       ", but there are " + std::to_string(channels) + " channels");
  return numbers;
}

/// Pixels as the settings `mean_key` and `deviation_key` normalise them, else from -1 to 1.
ChannelNormalisation normalisation_of(const JsonFields& fields, const char* mean_key,
                                      const char* deviation_key, int channels) {
  const auto count = static_cast<std::size_t>(channels);
  ChannelNormalisation pixels{std::vector<double>(count, 0.5), std::vector<double>(count, 0.5)};
  if (fields.has(mean_key)) pixels.mean = by_channel(fields, mean_key, channels);
  if (fields.has(deviation_key)) pixels.deviation = by_channel(fields, deviation_key, channels);
  for (const double deviation : pixels.deviation)
    if (!(deviation > 0)) refuse(fields, std::string(deviation_key) + " must be above 0");
  return pixels;
}

/// preprocessor_config.json
ChannelNormalisation preprocessor_normalisation(const fs::path& folder, int channels) {
  const fs::path file = folder / "preprocessor_config.json";
  const auto count = static_cast<std::size_t>(channels);
  std::error_code ignored;
  if (!fs::exists(file, ignored))
    return {std::vector<double>(count, 0.5), std::vector<double>(count, 0.5)};
  const JsonFields fields(file);
  if (!fields.truth("do_rescale", true) ||
      std::abs(fields.number("rescale_factor", 1 / 255.0) * 255 - 1) > 1e-3)
    refuse(fields, "pixels are not scaled to run from 0 to 1");
  if (!fields.truth("do_normalize", true))
    return {std::vector<double>(count, 0.0), std::vector<double>(count, 1.0)};
  return normalisation_of(fields, "image_mean", "image_std", channels);
}

/// What is the same in all ViTs.
ModelDescription plain_vit(Family family) {
  ModelDescription description;
  description.family = family;
  config::ModelConfig& model = description.model;
  model.kind = config::ModelKind::vit;
  model.attention.kind = config::AttentionKind::softmax;
  model.pooling = config::Pooling::class_token;
  model.norm = config::NormPosition::pre;
  model.feed_forward.activation = config::Activation::gelu_erf;
  return description;
}

ModelDescription read_vit(const JsonFields& fields, const fs::path& folder) {
  ModelDescription description = plain_vit(Family::vit);
  config::ModelConfig& model = description.model;
  if (!fields.truth("qkv_bias", true)) refuse(fields, "qkv_bias is false");
  model.width = fields.count("hidden_size", 1);
  model.heads = fields.count("num_attention_heads", 1);
  model.layers = fields.count("num_hidden_layers", 1);
  model.mlp_ratio = static_cast<double>(fields.count("intermediate_size", 1)) / model.width;
  model.feed_forward.activation = activation_of(fields, "hidden_act");
  model.norm_epsilon = fields.number("layer_norm_eps", 1e-12);
  model.image_height = model.image_width = fields.count("image_size", 1, 224);
  model.patch = fields.count("patch_size", 1, 16);
  model.channels = fields.count("num_channels", 1, 3);
  description.pixels = preprocessor_normalisation(folder, model.channels);
  return description;
}

/// Sizes by their word in a name of timm.
struct NamedSize {
  const char* word;
  int width, layers, heads;
};
constexpr NamedSize kNamedSizes[] = {{"_tiny_", 192, 12, 3},
                                     {"_small_", 384, 12, 6},
                                     {"_base_", 768, 12, 12},
                                     {"_large_", 1024, 24, 16},
                                     {"_huge_", 1280, 32, 16}};

/// The number behind a word in a name: 16 behind "patch" in vit_tiny_patch16_224; 0: none.
int number_behind(const std::string& name, const std::string& word) {
  const std::size_t at = name.find(word);
  if (at == std::string::npos) return 0;
  const std::size_t begin = at + word.size();
  const std::size_t end = std::min(name.find_first_not_of("0123456789", begin), name.size());
  return base::parse_number<int>(name.substr(begin, end - begin)).value_or(0);
}

void refuse_other_architectures(const JsonFields& fields, const std::string& name) {
  const auto complain = [&](const std::string& why) {
    refuse(fields, "the architecture '" + io::excerpt(name) + "' cannot be read" + why);
  };
  if (!name.starts_with("vit_") && !name.starts_with("deit_")) complain("");
  if (name.find("distilled") != std::string::npos)
    complain(": its distillation token is a second class token");
  for (const char* word : {"rope", "relpos", "reg", "gap", "clip", "dinov2", "siglip", "rpn"})
    if (name.find(word) != std::string::npos) complain(std::string(": it is a variant, ") + word);
  if (fields.text("global_pool", "token") != "token")
    complain(": global_pool is '" + io::excerpt(fields.text("global_pool", "")) + "', not 'token'");
}

ModelDescription read_timm(const JsonFields& fields) {
  const std::string name = fields.text("architecture", "");
  refuse_other_architectures(fields, name);
  ModelDescription description = plain_vit(Family::timm_vit);
  config::ModelConfig& model = description.model;
  NamedSize size{"", fields.count("num_features", 1, 0), 0, 0};
  for (const NamedSize& named : kNamedSizes)
    if (name.find(named.word) != std::string::npos) size = named;
  const JsonFields arguments = fields.inside("model_args"),
                   source = fields.inside("pretrained_cfg");
  model.channels = 3;
  model.image_height = model.image_width = 224;
  if (source.has("input_size")) {
    const io::Json& sizes = source.json().at("input_size");
    if (!sizes.is_array() || sizes.size() != 3 || !sizes[0].is_number_unsigned() ||
        sizes[1] != sizes[2] || !sizes[1].is_number_unsigned() || sizes[1] > 10'000 ||
        sizes[0] > 4096)
      refuse(source, "input_size is " + io::excerpt(io::format_json_line(sizes)));
    model.channels = sizes[0].get<int>();
    model.image_height = model.image_width = sizes[1].get<int>();
  }
  model.width = arguments.count("embed_dim", 1, size.width);
  model.layers = arguments.count("depth", 1, size.layers);
  model.heads = arguments.count("num_heads", 1, size.heads);
  model.mlp_ratio = arguments.number("mlp_ratio", 4);
  model.norm_epsilon = 1e-6;
  model.patch = arguments.count("patch_size", 1, number_behind(name, "patch"));
  model.channels = arguments.count("in_chans", 1, model.channels);
  model.image_height = model.image_width = arguments.count("img_size", 1, model.image_height);
  if (model.width < 1 || model.layers < 1 || model.heads < 1 || model.patch < 1)
    refuse(fields, "the architecture '" + io::excerpt(name) +
                       "' does not tell its sizes; model_args may (embed_dim, depth, num_heads, "
                       "patch_size)");
  description.pixels = normalisation_of(source, "mean", "std", model.channels);
  return description;
}

}  // namespace

ModelDescription read_image_description(const JsonFields& fields, Family family,
                                        const fs::path& folder) {
  return family == Family::vit ? read_vit(fields, folder) : read_timm(fields);
}

}  // namespace asap::pretrained
