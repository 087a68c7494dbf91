#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/train_config.h"
#include "io/safetensors.h"
#include "text/text_codec.h"

namespace asap::pretrained {

/// An encoder that was trained elsewhere, as a network of this toolkit.
struct PretrainedModel {
  std::string source;         ///< the file of the weights
  config::ModelConfig model;  ///< with softmax attention; classes are 0
  config::TextConfig text;    ///< tokenizer, lowercase, strip_accents and max_tokens
  std::string truncation;     ///< where max_tokens comes from, see tokenizer_files.h; of images ""
  io::TensorFile weights;     ///< under the names of this toolkit; pooler.* only if the file has it
  std::string fingerprint;    ///< of the file
  std::vector<std::string> left_out;  ///< tensors of the file that are not used
};

/// The weights that `path` names: model.safetensors itself, or a folder that holds it beside a
/// config.json. Nothing for the folder of a run.
std::optional<std::filesystem::path> find_pretrained(const std::filesystem::path& path);

/// Reads a pretrained model. DataError names file, tensor or setting: unknown tensors (with the
/// nearest known name), missing ones, other shapes, mixed types, values that are not finite, a
/// vocabulary of another size, and what model_description.h and tokenizer_files.h refuse.
PretrainedModel read_pretrained(const std::filesystem::path& file);

/// The token ids of a pretrained model, without classes. DataError when it reads images.
std::shared_ptr<const text::TextCodec> read_pretrained_codec(const std::filesystem::path& file);

/// The configuration from which a training with this model starts: the defaults with the model's
/// own network and tokenizer.
config::TrainConfig initial_config(const PretrainedModel& model);

/// UsageError when a key that the model's weights decide has another value in `config`. `source`
/// names the configuration. Attention, pooling (of texts) and training are free.
void require_own_network(const PretrainedModel& model, const config::TrainConfig& config,
                         const std::string& source);

/// UsageError when images, which `images` names, have other sizes than a model reads. sizes:
/// channels, height, width.
void require_fitting_images(const PretrainedModel& model, const std::string& images,
                            const std::array<int, 3>& sizes);

}  // namespace asap::pretrained
