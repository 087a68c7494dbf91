#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "config/model_config.h"

namespace asap::pretrained {

/// The naming of tensors and settings. timm_vit: that of the package timm, also of DeiT.
enum class Family { bert, distilbert, vit, timm_vit };

/// Normalisation of pixels that run from 0 to 1: (pixel - mean) / deviation, by channel.
struct ChannelNormalisation {
  std::vector<double> mean, deviation;
};

/// What config.json says, as far as it decides the network.
struct ModelDescription {
  Family family = Family::bert;
  config::ModelConfig model;    ///< with softmax attention; classes are those of the data
  int token_types = 0;          ///< rows of the token type table, up to 2; 0: none
  ChannelNormalisation pixels;  ///< of images
};

/// Reads config.json of a pretrained model. DataError names the file and the setting that is
/// missing, damaged, or computed otherwise here: relative or rotary positions, decoders, other
/// families and activations. Of a model that reads images preprocessor_config.json beside it names
/// the normalisation of pixels, if it is there.
ModelDescription read_model_description(const std::filesystem::path& file);

/// How sentence-transformers pools tokens: the pooling that modules.json in `folder` names, or
/// nothing without that file. DataError for poolings that this toolkit lacks, or of another width.
std::optional<config::Pooling> read_pooling(const std::filesystem::path& folder, int width);

}  // namespace asap::pretrained
