#pragma once

#include <cstdint>
#include <span>

#include "data/dataset.h"
#include "tensor/view.h"

namespace asap {

/// Copies the chosen examples, normalised: out = (pixel / 255 - mean) / deviation.
/// images: [indices.size(), channels * height * width]; labels: [indices.size()].
void fill_batch(const Dataset& dataset, std::span<const std::int64_t> indices,
                MatrixView<float> images, std::span<std::int32_t> labels);

}  // namespace asap
