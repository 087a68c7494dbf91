#include "pretrained/pretrained_model.h"

#include <algorithm>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "pretrained/pretrained_weights.h"
#include "pretrained/tokenizer_files.h"

namespace asap::pretrained {
namespace fs = std::filesystem;
namespace {

constexpr const char* kWeightsFile = "model.safetensors";
constexpr const char* kConfigFile = "config.json";

void check_vocabulary(const text::Tokenizer& tokenizer, const config::ModelConfig& model,
                      const fs::path& folder) {
  if (tokenizer.vocabulary() != model.vocabulary)
    throw base::DataError((folder / "vocab.txt").string() + ": holds " +
                              std::to_string(tokenizer.vocabulary()) +
                              " pieces, but vocab_size is " + std::to_string(model.vocabulary) +
                              " in " + (folder / kConfigFile).string(),
                          "the vocabulary belongs to another model");
}

/// A key of the configuration as JSON.
io::Json value_at(const io::Json& config, const std::string& key) {
  io::Json::json_pointer pointer;
  for (const std::string& part : base::split(key, '.')) pointer /= part;
  return config.at(pointer);
}

void require_own_texts(const PretrainedModel& model, const config::TrainConfig& config,
                       const std::string& source) {
  if (config.data.text.max_tokens > model.model.max_tokens)
    throw base::UsageError(source + ": data.text.max_tokens is " +
                               std::to_string(config.data.text.max_tokens) + ", but " +
                               model.source + " has " + std::to_string(model.model.max_tokens) +
                               " positions",
                           "--set data.text.max_tokens=" + std::to_string(model.model.max_tokens));
  if (config.model.separator != 0 && config.model.separator != model.model.separator)
    throw base::UsageError(source + ": model.separator is " +
                               std::to_string(config.model.separator) + ", but that of " +
                               model.source + " is " + std::to_string(model.model.separator),
                           "leave model.separator out; 0 does without token types");
}

/// The weights of patches hold the normalisation of pixels.
void require_own_images(const PretrainedModel& model, const config::TrainConfig& config,
                        const std::string& source) {
  const config::DataConfig& data = config.data;
  if (data.pixel_mean != kPixelMean || data.pixel_deviation != kPixelDeviation)
    throw base::UsageError(source + ": data.pixel_mean and data.pixel_deviation are " +
                               base::format_number(data.pixel_mean) + " and " +
                               base::format_number(data.pixel_deviation) + ", but " + model.source +
                               " brings its own normalisation of pixels, written for " +
                               base::format_number(kPixelMean) + " and " +
                               base::format_number(kPixelDeviation),
                           "leave both out");
  if (config.model.pooling != config::Pooling::class_token)
    throw base::UsageError(source + ": model.pooling is not class_token, but " + model.source +
                               " has a class token among its positions",
                           "leave model.pooling out");
}

}  // namespace

std::optional<fs::path> find_pretrained(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return path;
  if (fs::is_regular_file(path / kWeightsFile, ignored) && fs::exists(path / kConfigFile, ignored))
    return path / kWeightsFile;
  return std::nullopt;
}

PretrainedModel read_pretrained(const fs::path& file) {
  const fs::path folder = file.parent_path();
  std::error_code ignored;
  if (!fs::exists(folder / kConfigFile, ignored))
    throw base::DataError((folder / kConfigFile).string() + ": there is no such file beside " +
                              file.filename().string(),
                          "the folder of a pretrained model holds model.safetensors, config.json "
                          "and, of a model that reads texts, vocab.txt");
  const ModelDescription description = read_model_description(folder / kConfigFile);
  PretrainedModel model;
  model.source = file.string();
  model.model = description.model;
  std::optional<config::Pooling> pooling;
  if (!model.model.reads_images()) {
    PretrainedTokenizer tokenizer = read_pretrained_tokenizer(folder, model.model.max_tokens);
    check_vocabulary(*tokenizer.tokenizer, model.model, folder);
    if (description.token_types > 1)
      model.model.separator = tokenizer.tokenizer->separator().value_or(0);
    pooling = read_pooling(folder, model.model.width);
    model.text = tokenizer.config;
    model.truncation = tokenizer.truncation;
  }
  const std::string bytes = base::read_file(file);
  model.fingerprint = base::content_fingerprint(bytes);
  PretrainedWeights weights =
      read_pretrained_weights(io::parse_safetensors(bytes, file.string()), description);
  model.weights = std::move(weights.weights);
  model.left_out = std::move(weights.left_out);
  if (pooling)
    model.model.pooling = *pooling;
  else
    model.model.pooler = model.weights.tensors.contains("pooler.weight");
  return model;
}

std::shared_ptr<const text::TextCodec> read_pretrained_codec(const fs::path& file) {
  const fs::path folder = file.parent_path();
  const ModelDescription description = read_model_description(folder / kConfigFile);
  if (description.model.reads_images())
    throw base::DataError(file.string() + ": the model reads images, but data.kind is text",
                          "--set data.kind=image_folders, or another kind of images");
  const PretrainedTokenizer tokenizer =
      read_pretrained_tokenizer(folder, description.model.max_tokens);
  auto codec = std::make_shared<text::TextCodec>();
  codec->config = tokenizer.config;
  codec->tokenizer = tokenizer.tokenizer;
  return codec;
}

config::TrainConfig initial_config(const PretrainedModel& model) {
  config::TrainConfig config;
  config.model = model.model;
  config.data.text = model.text;
  if (model.model.reads_images()) {
    config.data.kind = config::DataKind::image_folders;
    config.data.images.size = model.model.image_width;
  }
  return config;
}

void require_own_network(const PretrainedModel& model, const config::TrainConfig& config,
                         const std::string& source) {
  const io::Json own = config::to_json(initial_config(model)), asked = config::to_json(config);
  for (const char* key : {"model.kind",
                          "model.vocabulary",
                          "model.max_tokens",
                          "model.positions",
                          "model.width",
                          "model.heads",
                          "model.layers",
                          "model.mlp_ratio",
                          "model.norm",
                          "model.norm_epsilon",
                          "model.embedding_norm",
                          "model.feed_forward.kind",
                          "model.feed_forward.activation",
                          "model.image_height",
                          "model.image_width",
                          "model.channels",
                          "model.patch",
                          "data.text.tokenizer",
                          "data.text.lowercase",
                          "data.text.strip_accents"}) {
    const io::Json there = value_at(own, key), here = value_at(asked, key);
    if (there != here)
      throw base::UsageError(source + ": " + key + " is " + here.dump() + ", but the weights of " +
                                 model.source + " need " + there.dump(),
                             std::string("leave ") + key + " out");
  }
  if (config.model.pooler && !model.weights.tensors.contains("pooler.weight"))
    throw base::UsageError(
        source + ": model.pooler is true, but " + model.source + " holds no pooler",
        "leave model.pooler out");
  if (model.model.reads_images())
    require_own_images(model, config, source);
  else
    require_own_texts(model, config, source);
}

void require_fitting_images(const PretrainedModel& model, const std::string& images,
                            const std::array<int, 3>& sizes) {
  const config::ModelConfig& needed = model.model;
  if (sizes == std::array{needed.channels, needed.image_height, needed.image_width}) return;
  const auto describe = [](int channels, int height, int width) {
    return std::to_string(height) + " x " + std::to_string(width) + " pixels with " +
           base::counted(channels, "channel");
  };
  throw base::UsageError(images + ": the images have " + describe(sizes[0], sizes[1], sizes[2]) +
                             ", but " + model.source + " reads " +
                             describe(needed.channels, needed.image_height, needed.image_width),
                         "--set data.images.size=" + std::to_string(needed.image_width) +
                             " resizes images of data.kind image_folders and image_records");
}

}  // namespace asap::pretrained
