#pragma once

#include "compile/activations.h"
#include "data/dataset.h"
#include "infer/encoder.h"

namespace asap {

/// Runs the teacher over `count` examples, drawn without replacement by `seed`, and keeps what
/// every attention layer was given. Labels are not looked at. The result does not depend on
/// `threads`. DataError when the data set has fewer.
Activations capture_activations(const Encoder& encoder, const Dataset& dataset, std::int64_t count,
                                std::uint64_t seed, int threads);

/// Activations of the model a training run left, on config.calibration + config.held_out of its own
/// training examples. UsageError when the run's attention is softmax.
Activations capture_run(const std::filesystem::path& run, const CompileConfig& config, int threads);

/// `count` different indices below `size` in random order.
std::vector<std::int64_t> draw_examples(std::int64_t size, std::int64_t count, std::uint64_t seed);

}  // namespace asap
