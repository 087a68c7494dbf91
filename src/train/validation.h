#pragma once

#include "data/dataset.h"
#include "infer/encoder.h"
#include "train/trainer.h"

namespace asap::train {

/// Loss and accuracy of a model with its own attention on all scored labels of `data`, the same for
/// any number of threads and of ranks, among which the examples are distributed.
TestReport test_model(const infer::Encoder& encoder, const data::Dataset& data, int threads,
                      distributed::Ranks& ranks = distributed::single_rank());

}  // namespace asap::train
