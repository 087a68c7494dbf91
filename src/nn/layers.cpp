#include "nn/layers.h"

#include <cmath>
#include <type_traits>

#include "autodiff/elementwise_ops.h"
#include "autodiff/matmul_ops.h"
#include "autodiff/row_ops.h"

namespace asap::nn {
namespace {

/// Only floats are rounded: networks of doubles check gradients.
template <class T>
tensor::ProductPrecision precision_of(tensor::ProductPrecision precision) {
  return std::is_same_v<T, float> ? precision : tensor::ProductPrecision::single;
}

}  // namespace

template <class T>
Linear<T>::Linear(const ParameterBuilder<T>& build, std::int64_t in, std::int64_t out,
                  tensor::ProductPrecision precision)
    : weight_(build.weight("weight", out, in)),
      bias_(build.constant("bias", {out}, 0)),
      precision_(precision_of<T>(precision)) {}

template <class T>
autodiff::Var<T> Linear<T>::forward(PassContext<T>& pass, autodiff::Var<T> x) const {
  return autodiff::linear(x, pass.tape.parameter(weight_), pass.tape.parameter(bias_), precision_);
}

template <class T>
LayerNorm<T>::LayerNorm(const ParameterBuilder<T>& build, std::int64_t width, double epsilon)
    : gain_(build.constant("weight", {width}, 1)),
      offset_(build.constant("bias", {width}, 0)),
      epsilon_(epsilon) {}

template <class T>
autodiff::Var<T> LayerNorm<T>::forward(PassContext<T>& pass, autodiff::Var<T> x) const {
  return autodiff::layer_norm(x, pass.tape.parameter(gain_), pass.tape.parameter(offset_),
                              epsilon_);
}

template <class T>
ChannelActivation<T>::ChannelActivation(const ParameterBuilder<T>& build,
                                        const config::FeedForwardConfig& config,
                                        std::int64_t channels)
    : fixed_(config.activation) {
  if (config.kind == config::FeedForwardKind::region)
    regions_.emplace(build.part("regions"), config, channels);
}

template <class T>
autodiff::Var<T> ChannelActivation<T>::forward(PassContext<T>& pass, autodiff::Var<T> x) const {
  if (regions_) return regions_->forward(pass, x);
  if (fixed_ == config::Activation::gelu_erf) return autodiff::gelu_erf(x);
  return fixed_ == config::Activation::relu ? autodiff::relu(x) : autodiff::gelu(x);
}

template <class T>
FeedForward<T>::FeedForward(const ParameterBuilder<T>& build, const config::ModelConfig& config)
    : up_(build.part("up"), config.width, config.hidden_width(), config.product_precision),
      down_(build.part("down"), config.hidden_width(), config.width, config.product_precision),
      activation_(build, config.feed_forward, config.hidden_width()) {}

template <class T>
autodiff::Var<T> FeedForward<T>::forward(PassContext<T>& pass, autodiff::Var<T> x) const {
  return down_.forward(pass, pass.drop(activation_.forward(pass, up_.forward(pass, x))));
}

template <class T>
MultiHeadAttention<T>::MultiHeadAttention(const ParameterBuilder<T>& build,
                                          const MultiHeadAttentionShape& shape,
                                          const attention::TrainableAttention<T>& kind)
    : heads_(shape.heads),
      layer_(shape.layer),
      precision_(precision_of<T>(shape.precision)),
      kind_(&kind),
      qkv_(build.part("qkv"), shape.width, 3 * shape.width, shape.precision),
      output_(build.part("output"), shape.width, shape.width, shape.precision),
      fixed_log_epsilon_({shape.heads}) {
  const double log_epsilon = std::log(shape.epsilon);
  if (shape.learn_epsilon) log_epsilon_ = build.constant("log_epsilon", {shape.heads}, log_epsilon);
  for (T& value : fixed_log_epsilon_.flat()) value = static_cast<T>(log_epsilon);
  if (const attention::LearnedShape learned = kind.learned_shape(shape.width / shape.heads);
      learned.rows > 0) {
    const tensor::Shape all{shape.heads, learned.rows, learned.cols};
    learned_ = learned.deviation > 0 ? build.normal(learned.name, all, learned.deviation)
                                     : build.constant(learned.name, all, learned.start);
  }
}

template <class T>
autodiff::Var<T> MultiHeadAttention<T>::forward(PassContext<T>& pass, autodiff::Var<T> x,
                                                std::span<const std::int32_t> live) const {
  const autodiff::Var<T> log_epsilon = log_epsilon_.valid()
                                           ? pass.tape.parameter(log_epsilon_)
                                           : pass.tape.constant(fixed_log_epsilon_.view());
  autodiff::AttentionInputs<T> inputs{qkv_.forward(pass, x), log_epsilon};
  if (learned_.valid()) inputs.learned = pass.tape.parameter(learned_);
  const autodiff::Var<T> attended =
      autodiff::attention(inputs, {heads_, live, layer_, precision_}, *kind_, pass.evidence);
  return output_.forward(pass, attended);
}

template <class T>
EncoderLayer<T>::EncoderLayer(const ParameterBuilder<T>& build,
                              const MultiHeadAttentionShape& shape,
                              const config::ModelConfig& config,
                              const attention::TrainableAttention<T>& kind)
    : norm_position_(config.norm),
      attention_norm_(build.part("attention_norm"), shape.width, config.norm_epsilon),
      attention_(build.part("attention"), shape, kind),
      feed_forward_norm_(build.part("feed_forward_norm"), shape.width, config.norm_epsilon),
      feed_forward_(build.part("feed_forward"), config) {}

template <class T>
autodiff::Var<T> EncoderLayer<T>::forward(PassContext<T>& pass, autodiff::Var<T> x,
                                          std::span<const std::int32_t> live) const {
  if (norm_position_ == config::NormPosition::post) {
    x = attention_norm_.forward(pass,
                                autodiff::add(x, pass.drop(attention_.forward(pass, x, live))));
    return feed_forward_norm_.forward(pass,
                                      autodiff::add(x, pass.drop(feed_forward_.forward(pass, x))));
  }
  x = autodiff::add(x, pass.drop(attention_.forward(pass, attention_norm_.forward(pass, x), live)));
  return autodiff::add(x,
                       pass.drop(feed_forward_.forward(pass, feed_forward_norm_.forward(pass, x))));
}

#define ASAP_INSTANTIATE(T)             \
  template class Linear<T>;             \
  template class LayerNorm<T>;          \
  template class ChannelActivation<T>;  \
  template class FeedForward<T>;        \
  template class MultiHeadAttention<T>; \
  template class EncoderLayer<T>;
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::nn
