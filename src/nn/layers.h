#pragma once

#include <optional>

#include "autodiff/attention_ops.h"
#include "nn/region_activation.h"
#include "tensor/kernels/row_ops.h"

namespace asap::nn {

/// y = x Wᵀ + b. Parameters: weight [out, in], bias [out]. Only networks of floats have products of
/// lesser precision.
template <class T>
class Linear {
 public:
  Linear(const ParameterBuilder<T>& build, std::int64_t in, std::int64_t out,
         tensor::ProductPrecision precision = tensor::ProductPrecision::single);
  autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x) const;

 private:
  autodiff::ParameterId weight_, bias_;
  tensor::ProductPrecision precision_;
};

/// Layer norm with gain ("weight") and offset ("bias"), both [width]; `epsilon` is added to the
/// variance.
template <class T>
class LayerNorm {
 public:
  LayerNorm(const ParameterBuilder<T>& build, std::int64_t width, double epsilon);
  autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x) const;

 private:
  autodiff::ParameterId gain_, offset_;
  double epsilon_;
};

/// The activation between linear layers: GELU in either form, ReLU, or a learned region-constrained
/// network per channel ("regions").
template <class T>
class ChannelActivation {
 public:
  ChannelActivation(const ParameterBuilder<T>& build, const config::FeedForwardConfig& config,
                    std::int64_t channels);
  autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x) const;
  /// Null for a fixed one.
  const RegionActivation<T>* regions() const { return regions_ ? &*regions_ : nullptr; }

 private:
  config::Activation fixed_;
  std::optional<RegionActivation<T>> regions_;
};

/// Two linear layers, "up" [hidden, width] and "down" [width, hidden], with an activation between
/// them.
template <class T>
class FeedForward {
 public:
  FeedForward(const ParameterBuilder<T>& build, const config::ModelConfig& config);
  autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x) const;
  const RegionActivation<T>* regions() const { return activation_.regions(); }

 private:
  Linear<T> up_, down_;
  ChannelActivation<T> activation_;
};

/// Sizes of multi-head attention and the regularisation of its scores.
struct MultiHeadAttentionShape {
  std::int64_t width = 64;
  std::int64_t heads = 2;
  double epsilon = 1;  ///< scores are Q Kᵀ / (sqrt(D) epsilon)
  /// Whether "log_epsilon" [H] is a parameter; it starts at log(epsilon).
  bool learn_epsilon = false;
  int layer = 0;                                                          ///< depth, from 0
  tensor::ProductPrecision precision = tensor::ProductPrecision::single;  ///< see ModelConfig
};

/// Projects to queries, keys and values ("qkv" [3 W, W]), attends with any attention kind,
/// projects back ("output" [W, W]). What the kind learns besides is a parameter under the name that
/// the kind gives it.
template <class T>
class MultiHeadAttention {
 public:
  MultiHeadAttention(const ParameterBuilder<T>& build, const MultiHeadAttentionShape& shape,
                     const attention::TrainableAttention<T>& kind);
  /// x: [B, N, W]; live: [B] live tokens or empty.
  autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x,
                           std::span<const std::int32_t> live) const;

 private:
  std::int64_t heads_;
  int layer_;
  tensor::ProductPrecision precision_;
  const attention::TrainableAttention<T>* kind_;
  Linear<T> qkv_, output_;
  autodiff::ParameterId log_epsilon_;    // invalid when epsilon is fixed
  autodiff::ParameterId learned_;        // invalid when the kind learns nothing of its own
  tensor::Tensor<T> fixed_log_epsilon_;  // [H]
};

/// Encoder layer (Xiong et al. 2020). Pre-LN: x + attention(norm(x)), then x +
/// feed_forward(norm(x)). Post-LN: norm(x + attention(x)), then norm(x + feed_forward(x)).
template <class T>
class EncoderLayer {
 public:
  EncoderLayer(const ParameterBuilder<T>& build, const MultiHeadAttentionShape& shape,
               const config::ModelConfig& config, const attention::TrainableAttention<T>& kind);
  autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x,
                           std::span<const std::int32_t> live) const;
  const FeedForward<T>& feed_forward() const { return feed_forward_; }

 private:
  config::NormPosition norm_position_;
  LayerNorm<T> attention_norm_;
  MultiHeadAttention<T> attention_;
  LayerNorm<T> feed_forward_norm_;
  FeedForward<T> feed_forward_;
};

}  // namespace asap::nn
