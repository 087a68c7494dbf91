#pragma once

#include "evaluate/study/plan_gallery.h"

namespace asap::evaluate {

/// Largest side of an image in a report, in pixels; larger ones are averaged down.
inline constexpr int kShownPixels = 96;

/// One example of the data set as a network of this configuration sees it.
ShownInput show_input(const data::Dataset& dataset, const config::ModelConfig& config,
                      std::int64_t example);

}  // namespace asap::evaluate
