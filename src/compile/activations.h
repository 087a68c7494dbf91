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
  std::string file_form{};  ///< how a file of activations was understood; empty: there was none

  attention::AttentionBatch<float> batch(int layer) const {
    const LayerActivations& l = layers[layer];
    return {l.queries.rows(), l.keys.rows(), l.values.rows(), examples, heads,
            live_queries,     live_keys};
  }
};

/// Reads activations that any program captured from its own teacher, a safetensors or npz file.
/// Names of tensors are those of `sort_activations`, layouts those of `TokenColumns`, masks and
/// lengths those of `read_live_rows`: for layers L = 0, 1, ...
///   layer.L.q  [B, H, N, D] or [B, N, H*D]    layer.L.k  [B, H, M, D] or [B, M, H*D]
///   layer.L.v  [B, H, M, Dv] or [B, M, H*Dv], optional: without it no output error is measured
/// or one [B, N, D] for each head; float64, float32, float16 or bfloat16, all tensors the same.
/// Metadata: optionally `model_fingerprint` and `heads`, which may also be a tensor of one integer.
/// Queries and keys are as they enter the product, before any scaling. H is what tensors show;
/// where they have heads side by side it is teacher.heads, or where that is 0 the file's. Live
/// tokens are moved to the front. DataError names file, tensor and what was expected; UsageError
/// when H is stated nowhere, or twice and differently.
Activations read_activations(const std::filesystem::path& path, const ActivationsConfig& teacher);

/// The same from a file in memory; `name` becomes Activations::source.
Activations activations_from(const io::TensorFile& file, const std::string& name,
                             const ActivationsConfig& teacher);

/// DataError unless the examples to fit on and the examples to measure on both have live tokens.
/// Leaves alone what is too few examples altogether.
void require_live_examples(const Activations& activations, const CompileConfig& config);

/// "384 examples of 16 tokens, 2 layers of 4 heads, width 8"; queries and keys apart where
/// their numbers differ.
std::string describe(const Activations& activations);

}  // namespace asap::compile
