#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Makes other data of a data set, to see how something fitted on one part or kind of data does on
/// another: keeps the examples of some classes or of some lengths, then adds noise to what is left.
/// The classes stay those of the whole data set, so that the same networks fit. A name says what
/// was done, a fingerprint of its own distinguishes the result. Nothing happens with the defaults.
///
/// UsageError for what the kind of data does not have (lengths of images, noise on token ids, one
/// class for a whole example where tokens are labelled) and for labels that do not exist; DataError
/// when no example is left.
void apply_shift(const config::ShiftConfig& shift, Dataset& dataset);

/// Keeps these examples, in this order. Each index below dataset.size(), ascending.
void keep_examples(Dataset& dataset, std::span<const std::int64_t> examples);

}  // namespace asap::data
