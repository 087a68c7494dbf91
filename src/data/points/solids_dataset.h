#pragma once

#include "data/dataset.h"

namespace asap::data {

/// The number of kinds of solids; data.classes must not exceed it.
inline constexpr int kSolidKinds = 8;

/// Sets of points drawn from the surfaces of solids (sphere, cube, cylinder, cone, torus, pyramid,
/// helix, cross of plates), rotated at random, stretched a little, with noise, then centred and
/// scaled to the unit ball. The label is the kind of solid. Needs no files.
///
/// Example i of a split is a pure function of config.solids.seed, the split and i. UsageError when
/// there are more classes than kinds of solids.
Dataset draw_solids_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
