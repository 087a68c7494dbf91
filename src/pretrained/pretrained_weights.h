#pragma once

#include <string>
#include <vector>

#include "io/safetensors.h"
#include "pretrained/model_description.h"

namespace asap::pretrained {

/// Normalisation of pixels for which the weights of patches are written, whatever the model's own
/// is: (pixel - mean) / deviation, the defaults of data.pixel_mean and data.pixel_deviation.
inline constexpr double kPixelMean = 0.5, kPixelDeviation = 0.5;

struct PretrainedWeights {
  io::TensorFile weights;             ///< under the names of this toolkit
  std::vector<std::string> left_out;  ///< tensors of the file that are not used
};

/// Takes the tensors of a pretrained model. The first token type is added to every position, and
/// the normalisation of pixels by channel becomes part of the projection of patches. DataError as
/// ForeignTensors.
PretrainedWeights read_pretrained_weights(io::TensorFile file, const ModelDescription& description);

}  // namespace asap::pretrained
