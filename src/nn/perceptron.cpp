#include "nn/perceptron.h"

namespace asap::nn {

template <class T>
Perceptron<T>::Perceptron(const ParameterBuilder<T>& build, const config::ModelConfig& config) {
  std::int64_t inputs = config.hidden_inputs();
  for (int layer = 0; layer < config.layers; ++layer) {
    const ParameterBuilder<T> part = build.part("hidden").part(std::to_string(layer));
    Linear<T> linear(part.part("linear"), inputs, config.width);
    hidden_.push_back({linear, ChannelActivation<T>(part, config.feed_forward, config.width)});
    inputs = config.width;
  }
  head_.emplace_back(build.part("head"), inputs, config.classes);
}

template <class T>
autodiff::Var<T> Perceptron<T>::forward(PassContext<T>& pass, autodiff::Var<T> x) const {
  for (const HiddenLayer& layer : hidden_)
    x = pass.drop(layer.activation.forward(pass, layer.linear.forward(pass, x)));
  return head_.front().forward(pass, x);
}

template <class T>
std::vector<const RegionActivation<T>*> Perceptron<T>::regions() const {
  std::vector<const RegionActivation<T>*> found;
  for (const HiddenLayer& layer : hidden_)
    if (layer.activation.regions()) found.push_back(layer.activation.regions());
  return found;
}

template class Perceptron<float>;
template class Perceptron<double>;

}  // namespace asap::nn
