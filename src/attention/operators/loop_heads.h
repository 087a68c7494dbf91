#pragma once

#include <vector>

#include "attention/operators/compiled_operator.h"

namespace asap::attention {

/// Heads of the loop with `iterations` iterations in every layer: for each layer and head the score
/// scale and, unless empty, the slack, see infer::Encoder.
std::vector<std::vector<CompiledHead>> loop_heads(
    int iterations, const std::vector<std::vector<float>>& score_scales,
    const std::vector<std::vector<float>>& slacks);

}  // namespace asap::attention
