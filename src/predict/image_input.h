#pragma once

#include "predict/input.h"

namespace asap::predict {

/// Images, see open_input. They become the colours of the training and, with InputConfig::resize or
/// as in a training that resized its images, its size; DataError names a file of another size.
std::unique_ptr<InputReader> open_images(const std::filesystem::path& path,
                                         const bundle::TrainedModel& model,
                                         const InputConfig& config);

}  // namespace asap::predict
