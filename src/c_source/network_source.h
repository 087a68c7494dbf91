#pragma once

#include "c_source/c_file.h"
#include "c_source/head_tables.h"
#include "config/model_config.h"
#include "io/safetensors.h"

namespace asap::c_source {

/// A trained Transformer and the attention it is written with.
struct NetworkToWrite {
  const config::ModelConfig& model;
  const io::TensorFile& weights;  ///< as in the checkpoint
  const Heads& heads;             ///< [layer][head]; softmax is a loop without iterations
  const std::vector<std::string>& class_names;
  double pixel_mean = 0, pixel_deviation = 1;  ///< of images: (pixel / 255 - mean) / deviation
};

/// The network as one C99 file with its weights, in float32:
///
///   images  void NAME_forward(const float *pixels, int count, float *logits, float *scratch);
///   texts   int NAME_forward(const int *ids, const int *lengths, int count, int tokens,
///                            float *logits, float *scratch);
///   sets    the same with float *points
///
/// UsageError for what cannot be written (require_writable) and for a name that is none in C,
/// DataError for tensors that do not fit the model or are not finite.
std::string network_source(const NetworkToWrite& network, const SourceDescription& description);

}  // namespace asap::c_source
