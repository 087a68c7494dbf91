#include "nn/region_activation.h"

#include <algorithm>

#include "autodiff/channel_network_ops.h"
#include "tensor/kernels/channel_networks.h"

namespace asap::nn {

template <class T>
RegionActivation<T>::RegionActivation(const ParameterBuilder<T>& build,
                                      const config::FeedForwardConfig& config,
                                      std::int64_t channels)
    : depth_(config.depth),
      interval_{-config.interval, config.interval},
      peaks_(build.constant("peaks", {activation::region_rows(depth_), channels}, 0)),
      weights_(
          build.constant("weights", {tensor::ChannelNetworkLayout{depth_}.count(), channels}, 0)) {
  // With all peaks at 1/2 the sum over levels is (u - u²) / 2, so these are the least-squares
  // parabola of relu(z) = (z + |z|) / 2 on [-R, R]: z / 2 + 3 R / 32 + 15 z² / (32 R).
  const double radius = config.interval;
  const tensor::MatrixView<T> form = build.value(peaks_).rows();
  std::ranges::fill(form.row(depth_ + 1), static_cast<T>(radius / 16));
  std::ranges::fill(form.row(depth_ + 2), static_cast<T>(radius));
  std::ranges::fill(form.row(depth_ + 3), static_cast<T>(-15 * radius / 4));
  unfold_regions<T>(interval_, form, build.value(weights_).rows());
}

template <class T>
autodiff::Var<T> RegionActivation<T>::forward(PassContext<T>& pass, autodiff::Var<T> x) const {
  const autodiff::Var<T> weights = pass.regions_released
                                       ? pass.tape.parameter(weights_)
                                       : unfold_regions(pass.tape.parameter(peaks_), interval_);
  return channel_networks(x, weights, depth_);
}

template <class T>
void RegionActivation<T>::settle(autodiff::ParameterStore<T>& store) const {
  unfold_regions<T>(interval_, store.value(peaks_).rows(), store.value(weights_).rows());
}

template class RegionActivation<float>;
template class RegionActivation<double>;

}  // namespace asap::nn
