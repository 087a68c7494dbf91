#pragma once

#include <memory>

#include "config/model_config.h"
#include "config/model_input.h"
#include "nn/layers.h"

namespace asap::nn {

/// Token vectors of a batch and how many of them are live in each example.
template <class T>
struct EmbeddedTokens {
  autodiff::Var<T> tokens;             // [B, N, W]
  std::span<const std::int32_t> live;  // [B]; empty = all. Lives as long as the pass.
};

/// Turns what a model reads into token vectors, prepends the class token if there is one, and adds
/// learned positions if there are any. Parameters, by kind of model:
///   vit   "patch" [W, C p²] with bias     text  "token" [vocabulary, W]
///   set   "point" [W, features] with bias (see tensor/kernels/point_features.h)
/// "segment" [W], of texts with a separator (config::ModelConfig::has_segments),
/// and "position" [tokens, W], whose row 0 is the class token's, "class_token" [W], and the layer
/// norm "norm" of the sum.
template <class T>
class InputEmbedding {
 public:
  InputEmbedding(const ParameterBuilder<T>& build, const config::ModelConfig& config);

  /// `input` must outlive the pass. InternalError when it does not fit the model.
  EmbeddedTokens<T> forward(PassContext<T>& pass, const config::ModelInput<T>& input) const;

 private:
  autodiff::Var<T> embed(PassContext<T>& pass,
                         const config::ModelInput<T>& input) const;  // [B, N, W]
  autodiff::Var<T> embed_images(PassContext<T>& pass, const config::ModelInput<T>& input) const;
  autodiff::Var<T> embed_points(PassContext<T>& pass, const config::ModelInput<T>& input) const;
  /// x: [B, N, W], the tokens of texts.
  autodiff::Var<T> add_segments(PassContext<T>& pass, const config::ModelInput<T>& input,
                                autodiff::Var<T> x) const;

  config::ModelConfig config_;
  std::unique_ptr<Linear<T>> linear_;  // of patches or points
  autodiff::ParameterId token_, segment_, position_, class_token_;
  std::optional<LayerNorm<T>> norm_;
};

}  // namespace asap::nn
