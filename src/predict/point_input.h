#pragma once

#include "predict/input.h"

namespace asap::predict {

/// Sets of points, see open_input, centred and scaled as in the training.
std::unique_ptr<InputReader> open_points(const std::filesystem::path& path,
                                         const bundle::TrainedModel& model);

}  // namespace asap::predict
