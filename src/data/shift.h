#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Shifts the distribution of a data set, to measure on one part of the data what was fitted on
/// another: keeps the examples of some classes or lengths, inverts images, and
/// adds noise. The classes
/// stay those of the whole data set, so that the same networks fit. The name of the result says
/// what was done, and its fingerprint is its own. With the defaults nothing changes.
///
/// UsageError for settings that the examples do not have (lengths of images, negatives or noise of
/// token ids, classes of examples whose tokens are labelled) and for labels that do not exist;
/// DataError when no example is left.
void apply_shift(const config::ShiftConfig& shift, Dataset& dataset);

/// Keeps these examples, in this order. Each index below dataset.size(), ascending.
void keep_examples(Dataset& dataset, std::span<const std::int64_t> examples);

}  // namespace asap::data
