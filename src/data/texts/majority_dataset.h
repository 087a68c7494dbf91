#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Drawn token sequences of different lengths, for tests and first steps without files: among the
/// tokens of an example one of the classes' own occurs more often than any other class's, and that
/// class is the label. The ids of class c is c + 1; those above stand for nothing. A pure function
/// of the configuration and the split; example i does not depend on how many there are.
Dataset draw_majority_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
