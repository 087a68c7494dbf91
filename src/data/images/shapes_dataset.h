#pragma once

#include "data/dataset.h"

namespace asap::data {

/// The number of kinds of shapes; data.classes must not exceed it.
inline constexpr int kShapeKinds = 10;

/// Grey images of one shape each (circle, square, triangle, cross, ring, stripes, star, crescent,
/// bar, checkerboard), with random place, size, rotation, brightness and noise; the label is the
/// kind. A pure function of the configuration and the split; example i does not depend on the
/// number of examples. UsageError when data.classes exceeds kShapeKinds.
Dataset draw_shapes_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
