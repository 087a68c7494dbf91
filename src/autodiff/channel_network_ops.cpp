#include "autodiff/channel_network_ops.h"

#include "tensor/kernels/channel_networks.h"

namespace asap::autodiff {

template <class T>
Var<T> channel_networks(Var<T> x, Var<T> weights, int depth) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  channel_networks<T>(depth, x.value().rows(), weights.value().rows(), out.rows());
  return x.tape().record(out, {x, weights}, [depth](Pullback<T>& p) {
    tensor::ChannelNetworksVjp<T> pass{
        .x = p.input(0).rows(), .weights = p.input(1).rows(), .dy = p.output_gradient().rows()};
    if (p.wants(0)) {
      const GradientSlot<T> slot = p.slot(0);
      pass.dx = slot.view.rows();
      pass.accumulate_dx = slot.accumulate;
    }
    if (p.wants(1)) {
      const GradientSlot<T> slot = p.slot(1);
      pass.dweights = slot.view.rows();
      pass.accumulate_dweights = slot.accumulate;
    }
    tensor::channel_networks_vjp<T>(depth, pass);
  });
}

template <class T>
Var<T> unfold_regions(Var<T> peaks, const activation::RegionInterval& interval) {
  const tensor::MatrixView<const T> from = peaks.value().rows();
  const int depth = activation::region_depth(from.rows);
  const tensor::TensorView<T> out =
      peaks.tape().allocate({tensor::ChannelNetworkLayout{depth}.count(), from.cols});
  unfold_regions<T>(interval, from, out.rows());
  return peaks.tape().record(out, {peaks}, [interval](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    activation::unfold_regions_vjp<T>(interval, p.input(0).rows(), p.output_gradient().rows(),
                                      slot.view.rows(), slot.accumulate);
  });
}

#define ASAP_INSTANTIATE(T)                                 \
  template Var<T> channel_networks<T>(Var<T>, Var<T>, int); \
  template Var<T> unfold_regions<T>(Var<T>, const activation::RegionInterval&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
