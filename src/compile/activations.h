#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "attention/interface/attention_batch.h"
#include "compile/compile_config.h"
#include "io/safetensors.h"
#include "tensor/core/tensor.h"

namespace asap::compile {

/// Inputs of the attention of one layer, for all calibration examples.
struct LayerActivations {
  tensor::Tensor<float> queries;     // [B * N, H * D]
  tensor::Tensor<float> keys;        // [B * M, H * D]
  tensor::Tensor<float> values;      // [B * M, H * Dv]; empty when not captured
  std::vector<double> score_scales;  ///< 1 / (√D ε) of each head: [H]
  std::vector<double> slacks{};      ///< slack c of each head: [H]; empty: none
};

/// Inputs of every attention layer of a Sinkhorn teacher, and its number of iterations: all that
/// compilation needs to know about a model.
struct Activations {
  std::int64_t examples = 0;  // B
  std::int64_t heads = 0;     // H
  int iterations = 0;         ///< T of the teacher
  std::vector<LayerActivations> layers;
  std::vector<std::int32_t> live_queries;  ///< [B]; empty = all
  std::vector<std::int32_t> live_keys;     ///< [B]; empty = all
  std::string model_fingerprint;           ///< empty when the model is not known
  std::string source;                      ///< where the examples come from, for the artefact

  attention::AttentionBatch<float> batch(int layer) const {
    const LayerActivations& l = layers[layer];
    return {l.queries.rows(), l.keys.rows(), l.values.rows(), examples, heads,
            live_queries,     live_keys};
  }
};

/// Reads activations that any program captured from its own teacher: a safetensors file with
///   layers.<i>.queries  [B, N, H*D] float     layers.<i>.keys  [B, M, H*D] float
///   layers.<i>.values   [B, M, H*Dv] float, optional: without it no output error is measured
///   live_queries, live_keys  [B] int32, optional: live tokens of each example, which come first
/// for i = 0, 1, ... and, in its metadata, optionally `model_fingerprint` and `heads`. Queries and
/// keys are as they enter the product, before any scaling. H is teacher.heads, or where that is 0
/// the metadata's. DataError names file, tensor and what was expected; UsageError when H is stated
/// nowhere, or twice and differently.
Activations read_activations(const std::filesystem::path& path, const ActivationsConfig& teacher);

/// The same from a file in memory; `name` becomes Activations::source.
Activations activations_from(const io::TensorFile& file, const std::string& name,
                             const ActivationsConfig& teacher);

/// "384 examples of 16 tokens, 2 layers of 4 heads, width 8"; queries and keys apart where
/// their numbers differ.
std::string describe(const Activations& activations);

}  // namespace asap::compile
