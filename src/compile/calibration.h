#pragma once

#include <optional>

#include "compile/activations.h"
#include "data/dataset.h"
#include "infer/encoder.h"

namespace asap::compile {

/// Runs the teacher over `count` examples, drawn without replacement by `seed`, and keeps what
/// every attention layer was given. Labels are not looked at. The result does not depend on
/// `threads`. DataError when the data set has fewer.
Activations capture_activations(const infer::Encoder& encoder, const data::Dataset& dataset,
                                std::int64_t count, std::uint64_t seed, int threads);

/// The same for these examples. With `iterations`, every layer runs Sinkhorn with so many on the
/// network's own scores instead of what it was trained with, and that becomes the teacher: what a
/// compiled operator replaces all layers by has seen its predecessors replaced as well.
Activations capture_activations(const infer::Encoder& encoder, const data::Dataset& dataset,
                                std::span<const std::int64_t> examples,
                                std::optional<int> iterations, int threads);

/// UsageError unless the network's attention is what config.teacher can imitate: for "own" it must
/// be Sinkhorn's, for "sinkhorn:T" its scores must be the products of its queries and keys.
void check_teacher(const CompileConfig& config, const config::ModelConfig& model,
                   const std::string& source);

/// Activations of the model a training run left, on config.calibration + config.held_out of the
/// training part of config.data. UsageError as check_teacher.
Activations capture_run(const std::filesystem::path& run, const CompileConfig& config, int threads);

/// `count` different indices below `size` in random order.
std::vector<std::int64_t> draw_examples(std::int64_t size, std::int64_t count, std::uint64_t seed);

}  // namespace asap::compile
