#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Drawn token sequences of different lengths, for tests and first steps without files. Every class
/// has a token, with id c + 1 for class c; higher ids belong to no class. The label is the class
/// whose token occurs most often in the example. A pure function of the configuration and the
/// split; example i does not depend on the number of examples.
Dataset draw_majority_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
