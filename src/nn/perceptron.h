#pragma once

#include <vector>

#include "config/model_config.h"
#include "nn/layers.h"

namespace asap::nn {

/// Multi-layer perceptron on whole images, on what convolutions make of them, or on any other input
/// that is one row of numbers per example: model.layers hidden layers of model.width with the
/// activation of model.feed_forward, then a linear one. Parameters: "hidden.<i>.linear",
/// "hidden.<i>.regions" of learned activations, "head".
template <class T>
class Perceptron {
 public:
  Perceptron(const ParameterBuilder<T>& build, const config::ModelConfig& config);

  /// x: [B, hidden_inputs]; result: logits [B, classes].
  autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x) const;
  /// The learned activations, layer by layer.
  std::vector<const RegionActivation<T>*> regions() const;

 private:
  struct HiddenLayer {
    Linear<T> linear;
    ChannelActivation<T> activation;
  };

  std::vector<HiddenLayer> hidden_;
  std::vector<Linear<T>> head_;  // one, built after the hidden layers
};

}  // namespace asap::nn
