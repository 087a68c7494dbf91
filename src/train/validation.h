#pragma once

#include "data/dataset.h"
#include "infer/encoder.h"
#include "train/trainer.h"

namespace asap {

/// Loss and accuracy of a model with its own attention on all scored labels of `data`.
TestReport test_model(const Encoder& encoder, const Dataset& data, int threads);

}  // namespace asap
