#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attention/operators/kind_operator.h"
#include "infer/convolutions.h"
#include "infer/encoder_embedding.h"
#include "io/safetensors.h"

namespace asap::infer {

/// The tokens of some examples at one depth of the network, padded to equal length.
struct TokenRows {
  tensor::MatrixView<const float> rows;     // [B * N, W], the class token included
  std::int64_t examples;                    // B
  std::span<const std::int32_t> live = {};  // [B]; empty = all

  /// Live tokens of one example: [n, W].
  tensor::MatrixView<const float> live_rows(std::int64_t example) const {
    const std::int64_t tokens = rows.rows / examples;
    const std::int64_t count = live.empty() ? tokens : live[static_cast<std::size_t>(example)];
    return rows.block(example * tokens, 0, count, rows.cols);
  }
};

/// Sees the tokens of every pass: before the first layer (depth 0), after each layer, before the
/// feed-forward part of each, and before the last linear layer.
class TokenObserver {
 public:
  virtual ~TokenObserver() = default;
  virtual void see(int /*depth*/, const TokenRows& /*tokens*/) {}
  /// What the feed-forward part of a layer reads, normalised.
  virtual void see_feed_forward(int /*layer*/, const TokenRows& /*tokens*/) {}
  /// What the hidden layers of a network without attention read: [B, hidden_inputs].
  virtual void see_hidden_input(tensor::MatrixView<const float> /*inputs*/) {}
  /// What the last linear layer reads: [logit_rows, W], one vector per row of logits.
  virtual void see_embeddings(tensor::MatrixView<const float> /*embeddings*/) {}
};

/// The projections of one attention layer.
struct AttentionWeights {
  const AffineWeights& qkv;     // [3 W, W]: queries, keys, values
  const AffineWeights& output;  // [W, W]
};

/// A trained Transformer for inference: no tape, no gradients, activations in an arena and
/// residuals added in place. Which attention it runs is decided per call. Immutable, so threads may
/// share it, each with its own arena. Padded tokens have no effect. A perceptron runs here too, and
/// one behind convolutions; they have no attention, and calling attention methods on one is an
/// error (see require_attention).
class Encoder {
 public:
  /// Takes the tensors of a checkpoint. DataError names a tensor that is missing or has another
  /// shape.
  Encoder(const config::ModelConfig& config, const io::TensorFile& weights,
          std::string fingerprint);

  /// Newest checkpoint of the run in `run` (see RunFolder). DataError when there is none.
  static Encoder load(const std::filesystem::path& run);

  const config::ModelConfig& config() const { return config_; }
  /// Identifies the trained weights: a hash of the file they were read from.
  const std::string& fingerprint() const { return fingerprint_; }

  /// Rows of logits that forward() writes: one per example or, with Pooling::none, one per token,
  /// padding included.
  std::int64_t logit_rows(const config::ModelInput<float>& input) const {
    return input.examples * (config_.labels_tokens() ? input.tokens : 1);
  }

  /// input: normalised as in training -> logits: [logit_rows, classes]; those of padded tokens are
  /// undefined. `observer`, if there is one, sees the tokens on the way.
  void forward(const config::ModelInput<float>& input,
               const attention::AttentionOperator& attention, tensor::MatrixView<float> logits,
               tensor::Arena& arena, TokenObserver* observer = nullptr) const;

  /// UsageError when the network, which `source` names, has no attention.
  void require_attention(const std::string& source) const;

  /// The attention the model was trained with.
  std::unique_ptr<attention::KindOperator> teacher() const;
  /// Softmax attention in place of the model's own.
  std::unique_ptr<attention::KindOperator> softmax() const;
  /// Any kind that learns nothing of its own, in place of the model's, with the same queries, keys
  /// and scales.
  std::unique_ptr<attention::KindOperator> with_kind(
      std::unique_ptr<attention::TrainableAttention<float>> kind) const;
  /// Sinkhorn attention with this many iterations and the model's slack, in place of the model's
  /// own.
  std::unique_ptr<attention::KindOperator> sinkhorn(int iterations) const;
  /// For each layer and head the factor of the scores, 1 / (sqrt(D) epsilon).
  const std::vector<std::vector<float>>& score_scales() const { return scales_; }
  /// For each layer and head the slack c of Sinkhorn attention; empty without slack.
  const std::vector<std::vector<float>>& slacks() const { return slacks_; }
  AttentionWeights attention_weights(int layer) const {
    return {layers_[layer].qkv, layers_[layer].output};
  }

 private:
  struct Layer {
    AffineWeights attention_norm, qkv, output, feed_forward_norm, up, down;
    tensor::Tensor<float> regions;  // of the learned activations; empty for a fixed one
  };
  struct HiddenLayer {
    AffineWeights linear;
    tensor::Tensor<float> regions;
  };
  struct Activations;

  void take_hidden_layers(const io::TensorFile& weights);
  tensor::MatrixView<const float> hidden_input(const config::ModelInput<float>& input,
                                               tensor::Arena& arena) const;
  void run_perceptron(const config::ModelInput<float>& input, tensor::MatrixView<float> logits,
                      tensor::Arena& arena, TokenObserver* observer) const;

  std::int64_t widest_activations() const;
  std::int64_t examples_at_once(std::int64_t tokens) const;
  void run_transformer(const config::ModelInput<float>& input,
                       const attention::AttentionOperator& attention,
                       tensor::MatrixView<float> logits, tensor::Arena& arena,
                       TokenObserver* observer) const;
  void run_layer(int index, const attention::AttentionOperator& attention, const Activations& a,
                 tensor::Arena& arena, TokenObserver* observer) const;
  void activate(const tensor::Tensor<float>& regions, tensor::MatrixView<float> x) const;
  void classify(const Activations& a, tensor::MatrixView<float> logits, tensor::Arena& arena,
                TokenObserver* observer) const;
  void pool(const Activations& a, tensor::MatrixView<const float> tokens,
            tensor::MatrixView<float> pooled) const;
  tensor::MatrixView<float> normalised_tokens(const Activations& a) const;

  config::ModelConfig config_;
  std::string fingerprint_;
  std::vector<std::vector<float>> scales_, slacks_;
  std::vector<tensor::Tensor<float>>
      learned_;  // per layer, what the kind of attention learns besides
  std::optional<EncoderEmbedding> embedding_;  // of Transformers
  std::vector<Layer> layers_;
  std::optional<Convolutions> convolutions_;  // of kind convolutional
  std::vector<HiddenLayer> hidden_;           // without attention
  AffineWeights final_norm_, pooler_, head_;  // empty where the model has none
};

}  // namespace asap::infer
