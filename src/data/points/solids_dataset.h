#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Number of solids there are; data.classes may not exceed it.
inline constexpr int kSolidKinds = 8;

/// Sets of points drawn from the surfaces of solids (sphere, cube, cylinder, cone, torus, pyramid,
/// helix, cross of plates), turned at random, stretched a little, with noise; centred and scaled to
/// the unit ball. The label is the solid. Needs no files: the offline default of sets.
///
/// Example i of a split is a pure function of config.solids.seed, the split and i. UsageError when
/// there are fewer solids than classes.
Dataset draw_solids_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
