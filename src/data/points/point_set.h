#pragma once

#include "data/dataset.h"
#include "tensor/core/view.h"

namespace asap::data {

/// Moves the points of every example to mean 0 and scales them so that the farthest is at
/// distance 1. An example whose points coincide becomes zeros.
void normalise_point_sets(Dataset& dataset);

/// The last step of every loader of sets: refuses coordinates that are not finite (DataError names
/// example and point), applies data.points, and computes the fingerprint of the data.
Dataset finish_point_sets(Dataset dataset, const config::PointsConfig& config);

}  // namespace asap::data
