#include "nn/transformer.h"

#include "attention/kinds/attention_kinds.h"
#include "autodiff/elementwise_ops.h"

namespace asap::nn {

template <class T>
Transformer<T>::Transformer(const config::ModelConfig& config, std::uint64_t seed)
    : config_(config) {
  const ParameterBuilder<T> build(parameters_, seed);
  if (!config.has_attention()) {
    if (config.has_convolutions())
      convolutions_ = std::make_unique<Convolutions<T>>(build.part("convolutions"), config);
    perceptron_ = std::make_unique<Perceptron<T>>(build, config);
    return;
  }
  kind_ = attention::make_attention<T>(config.attention);
  embedding_ = std::make_unique<InputEmbedding<T>>(build.part("embedding"), config);
  for (int layer = 0; layer < config.layers; ++layer) {
    const MultiHeadAttentionShape shape{config.width,
                                        config.heads,
                                        config.attention.epsilon,
                                        config.attention.learn_epsilon,
                                        layer,
                                        config.product_precision};
    layers_.emplace_back(build.part("layers").part(std::to_string(layer)), shape, config, *kind_);
  }
  if (config.has_final_norm())
    final_norm_ =
        std::make_unique<LayerNorm<T>>(build.part("final_norm"), config.width, config.norm_epsilon);
  if (config.pooler)
    pooler_ = std::make_unique<Linear<T>>(build.part("pooler"), config.width, config.width);
  head_ = std::make_unique<Linear<T>>(build.part("head"), config.width, config.classes);
}

template <class T>
std::vector<const RegionActivation<T>*> Transformer<T>::regions() const {
  if (perceptron_) return perceptron_->regions();
  std::vector<const RegionActivation<T>*> found;
  for (const EncoderLayer<T>& layer : layers_)
    if (const RegionActivation<T>* regions = layer.feed_forward().regions())
      found.push_back(regions);
  return found;
}

template <class T>
void Transformer<T>::settle_regions() {
  for (const RegionActivation<T>* regions : this->regions()) regions->settle(parameters_);
}

template <class T>
autodiff::Var<T> Transformer<T>::forward(PassContext<T>& pass,
                                         const config::ModelInput<T>& input) const {
  pass.regions_released = regions_released_;
  if (perceptron_)
    return perceptron_->forward(
        pass, convolutions_ ? convolutions_->forward(pass, input.values)
                            : pass.tape.constant(
                                  {input.values.data, {input.values.rows, input.values.cols}}));
  auto [x, live] = embedding_->forward(pass, input);
  for (const EncoderLayer<T>& layer : layers_) x = layer.forward(pass, x, live);
  if (final_norm_) x = final_norm_->forward(pass, x);
  if (config_.has_class_token() || config_.pooling == config::Pooling::first_token)
    x = autodiff::select_token(x, 0);
  else if (!config_.labels_tokens())
    x = autodiff::mean_pool(x, live);
  if (pooler_) x = autodiff::hyperbolic_tangent(pooler_->forward(pass, x));
  return head_->forward(pass, x);
}

template class Transformer<float>;
template class Transformer<double>;

}  // namespace asap::nn
