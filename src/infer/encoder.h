#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attention/operators/kind_operator.h"
#include "infer/encoder_embedding.h"
#include "io/safetensors.h"

namespace asap {

/// The tokens of some examples at one depth of the network, padded to equal length.
struct TokenRows {
  MatrixView<const float> rows;             // [B * N, W], the class token included
  std::int64_t examples;                    // B
  std::span<const std::int32_t> live = {};  // [B]; empty = all

  /// Live tokens of one example: [n, W].
  MatrixView<const float> live_rows(std::int64_t example) const {
    const std::int64_t tokens = rows.rows / examples;
    const std::int64_t count = live.empty() ? tokens : live[static_cast<std::size_t>(example)];
    return rows.block(example * tokens, 0, count, rows.cols);
  }
};

/// Is shown the tokens of every pass before the first layer (depth 0) and after each, and on the way.
class TokenObserver {
 public:
  virtual ~TokenObserver() = default;
  virtual void see(int depth, const TokenRows& tokens) = 0;
  /// What the feed-forward part of a layer reads, normalised.
  virtual void see_feed_forward(int /*layer*/, const TokenRows& /*tokens*/) {}
};

/// A trained Transformer for inference: no tape, no gradients, activations in an arena and
/// residuals added in place. Which attention it runs is decided per call. Immutable, so threads may
/// share it, each with its own arena. Padded tokens are as if they were not there. A perceptron
/// runs here, too; it has no attention to choose, and what asks for some must not be asked of it.
class Encoder {
 public:
  /// Takes the tensors of a checkpoint. DataError names a tensor that is missing or has another
  /// shape.
  Encoder(const ModelConfig& config, const TensorFile& weights, std::string fingerprint);

  /// Newest checkpoint of the run in `run` (see RunFolder). DataError when there is none.
  static Encoder load(const std::filesystem::path& run);

  const ModelConfig& config() const { return config_; }
  /// Identifies the trained weights: a hash of the file they were read from.
  const std::string& fingerprint() const { return fingerprint_; }

  /// Rows of logits that forward() writes: one per example or, with Pooling::none, one per token,
  /// padding included.
  std::int64_t logit_rows(const ModelInput<float>& input) const {
    return input.examples * (config_.labels_tokens() ? input.tokens : 1);
  }

  /// input: normalised as in training -> logits: [logit_rows, classes]; those of padded tokens mean
  /// nothing. `observer`, if there is one, sees the tokens on the way.
  void forward(const ModelInput<float>& input, const AttentionOperator& attention,
               MatrixView<float> logits, Arena& arena, TokenObserver* observer = nullptr) const;

  /// UsageError when the network, which `source` names, has no attention.
  void require_attention(const std::string& source) const;

  /// The attention the model was trained with.
  std::unique_ptr<KindOperator> teacher() const;
  /// Softmax attention in the place of the model's own.
  std::unique_ptr<KindOperator> softmax() const;
  /// Any kind that learns nothing of its own in the place of the model's: same queries, keys and
  /// scales.
  std::unique_ptr<KindOperator> with_kernel(std::unique_ptr<TrainableAttention<float>> kernel) const;
  /// Sinkhorn attention with so many iterations in the place of the model's own.
  std::unique_ptr<KindOperator> sinkhorn(int iterations) const;
  /// For each layer and head the factor of the scores, 1 / (sqrt(D) epsilon).
  const std::vector<std::vector<float>>& score_scales() const { return scales_; }

 private:
  struct Layer {
    AffineWeights attention_norm, qkv, output, feed_forward_norm, up, down;
    Tensor<float> regions;  // of the learned activations; empty for a fixed one
  };
  struct HiddenLayer {
    AffineWeights linear;
    Tensor<float> regions;
  };
  struct Activations;

  void take_hidden_layers(const TensorFile& weights);
  void run_perceptron(const ModelInput<float>& input, MatrixView<float> logits, Arena& arena) const;

  void run_layer(int index, const AttentionOperator& attention, const Activations& a, Arena& arena,
                 TokenObserver* observer) const;
  void activate(const Tensor<float>& regions, MatrixView<float> x) const;
  void classify(const Activations& a, MatrixView<float> logits, Arena& arena) const;
  void pool(const Activations& a, MatrixView<float> pooled) const;

  ModelConfig config_;
  std::string fingerprint_;
  std::vector<std::vector<float>> scales_;
  std::vector<Tensor<float>> learned_;  // per layer, what the kind of attention learns besides
  std::optional<EncoderEmbedding> embedding_;  // of Transformers
  std::vector<Layer> layers_;
  std::vector<HiddenLayer> hidden_;  // of perceptrons
  AffineWeights final_norm_, head_;
};

}  // namespace asap
