#pragma once

#include "activation/region_unfolding.h"
#include "config/model_config.h"
#include "nn/module.h"

namespace asap::nn {

/// A learned activation for every channel: a ReLU network of width 4 whose weights come from
/// triangle peaks, so that it has exactly 2^depth linear regions (Milkert, Hyde and Laine, ICML
/// 2025). It is trained in two phases: first "peaks" [depth + 4, channels] (see
/// activation/region_unfolding.h), from which the weights follow; then, released, the "weights" [20
/// depth - 7, channels] themselves. Every channel starts as the parabola nearest to ReLU on the
/// interval.
template <class T>
class RegionActivation {
 public:
  RegionActivation(const ParameterBuilder<T>& build, const config::FeedForwardConfig& config,
                   std::int64_t channels);

  /// x: [..., channels]. In the first phase only the peaks get a gradient, in the second only the
  /// weights.
  autodiff::Var<T> forward(PassContext<T>& pass, autodiff::Var<T> x) const;

  /// Sets the weights to those that the peaks define.
  void settle(autodiff::ParameterStore<T>& store) const;

  autodiff::ParameterId peaks() const { return peaks_; }
  autodiff::ParameterId weights() const { return weights_; }

 private:
  int depth_;
  activation::RegionInterval interval_;
  autodiff::ParameterId peaks_, weights_;
};

}  // namespace asap::nn
