#include "tensor/kernels/channel_networks.h"

#include <algorithm>

#include "base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/channel_networks.cpp"
#include <hwy/foreach_target.h>

#include "tensor/kernels/channel_networks_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/partial-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

using Layout = ChannelNetworkLayout;
constexpr int kWidth = Layout::kWidth;

/// A vector of channels of the weights.
template <class T>
struct Panel {
  const T* data;
  std::int64_t stride;  // between numbers of one network
  std::int64_t live;    // channels of the vector

  hn::Vec<hn::ScalableTag<T>> operator()(int index) const {
    return load_part(hn::ScalableTag<T>(), live, data + index * stride);
  }
};

/// Activations of some rows of one vector of channels: [Rows][kWidth].
template <class T, int Rows>
struct Neurons {
  static constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
  HWY_ALIGN T value[Rows][kWidth][kLanes];

  hn::Vec<hn::ScalableTag<T>> get(int row, int neuron) const {
    return hn::Load(hn::ScalableTag<T>(), value[row][neuron]);
  }
  void set(int row, int neuron, hn::Vec<hn::ScalableTag<T>> v) {
    hn::Store(v, hn::ScalableTag<T>(), value[row][neuron]);
  }
};

template <class T, int Rows>
HWY_INLINE void first_layer(const Layout& at, const Panel<T>& w, const T* x, std::int64_t stride,
                            Neurons<T, Rows>& out) {
  const hn::ScalableTag<T> d;
  for (int k = 0; k < kWidth; ++k) {
    const auto weight = w(at.first_weight(k)), bias = w(at.first_bias(k));
    for (int r = 0; r < Rows; ++r) {
      const auto value = hn::MulAdd(weight, load_part(d, w.live, x + r * stride), bias);
      out.set(r, k, hn::Max(value, hn::Zero(d)));
    }
  }
}

template <class T, int Rows>
HWY_INLINE void hidden_layer(const Layout& at, int layer, const Panel<T>& w,
                             const Neurons<T, Rows>& in, Neurons<T, Rows>& out) {
  const hn::ScalableTag<T> d;
  for (int k = 0; k < kWidth; ++k) {
    const auto w0 = w(at.weight(layer, k, 0)), w1 = w(at.weight(layer, k, 1));
    const auto w2 = w(at.weight(layer, k, 2)), w3 = w(at.weight(layer, k, 3));
    const auto bias = w(at.bias(layer, k));
    for (int r = 0; r < Rows; ++r) {
      auto value = hn::MulAdd(w0, in.get(r, 0), bias);
      value = hn::MulAdd(w1, in.get(r, 1), value);
      value = hn::MulAdd(w2, in.get(r, 2), value);
      value = hn::MulAdd(w3, in.get(r, 3), value);
      out.set(r, k, hn::Max(value, hn::Zero(d)));
    }
  }
}

/// Values of all hidden layers: layers[i] is hidden layer i.
template <class T, int Rows>
HWY_INLINE void hidden_layers(const Layout& at, const Panel<T>& w, const T* x, std::int64_t stride,
                              Neurons<T, Rows>* layers) {
  first_layer(at, w, x, stride, layers[0]);
  for (int layer = 1; layer < at.depth; ++layer)
    hidden_layer(at, layer, w, layers[layer - 1], layers[layer]);
}

template <int Rows, class T>
HWY_INLINE void forward_rows(const Layout& at, const Panel<T>& w, MatrixView<const T> x,
                             std::int64_t row, std::int64_t channel, MatrixView<T> out) {
  const hn::ScalableTag<T> d;
  Neurons<T, Rows> layers[Layout::kMaxDepth];
  hidden_layers(at, w, x.data + row * x.stride + channel, x.stride, layers);
  for (int r = 0; r < Rows; ++r) {
    auto value = w(at.last_bias());
    for (int k = 0; k < kWidth; ++k)
      value = hn::MulAdd(w(at.last_weight(k)), layers[at.depth - 1].get(r, k), value);
    store_part(d, w.live, value, out.data + (row + r) * out.stride + channel);
  }
}

/// Calls tile(row, std::integral_constant<int, Rows>) for tiles of rows.
template <class Tile>
HWY_INLINE void for_each_tile(std::int64_t rows, const Tile& tile) {
  constexpr int kTile = 4;
  std::int64_t row = 0;
  for (; row + kTile <= rows; row += kTile) tile(row, std::integral_constant<int, kTile>());
  for (; row < rows; ++row) tile(row, std::integral_constant<int, 1>());
}

template <class T>
void forward(int depth, MatrixView<const T> x, MatrixView<const T> weights, MatrixView<T> out) {
  const Layout at{depth};
  for_each_part<T>(x.cols, [&](std::int64_t channel, std::int64_t live) HWY_ATTR {
    const Panel<T> w{weights.data + channel, weights.stride, live};
    for_each_tile(x.rows, [&](std::int64_t row, auto rows)
                              HWY_ATTR { forward_rows<rows()>(at, w, x, row, channel, out); });
  });
}

/// Gradients of the weights of one vector of channels.
template <class T>
struct GradientPanel {
  T* data;
  std::int64_t stride, live;

  void add(int index, hn::Vec<hn::ScalableTag<T>> value) const {
    const hn::ScalableTag<T> d;
    T* to = data + index * stride;
    store_part(d, live, hn::Add(load_part(d, live, to), value), to);
  }
};

/// Multiplies by the derivative of ReLU, whose output is `activation`.
template <class D, class V>
HWY_INLINE V through_relu(D d, V activation, V gradient) {
  return hn::IfThenElseZero(hn::Gt(activation, hn::Zero(d)), gradient);
}

/// Gradient of the last, linear layer; `delta` becomes that of the last hidden layer before its
/// ReLU.
template <class T, int Rows>
HWY_INLINE void last_layer_vjp(const Layout& at, const Panel<T>& w, const T* dy,
                               std::int64_t stride, const Neurons<T, Rows>& in,
                               Neurons<T, Rows>& delta, const GradientPanel<T>& dw) {
  const hn::ScalableTag<T> d;
  hn::Vec<decltype(d)> gradient[Rows];
  for (int r = 0; r < Rows; ++r) gradient[r] = load_part(d, w.live, dy + r * stride);
  auto bias = hn::Zero(d);
  for (int r = 0; r < Rows; ++r) bias = hn::Add(bias, gradient[r]);
  if (dw.data) dw.add(at.last_bias(), bias);
  for (int k = 0; k < kWidth; ++k) {
    const auto weight = w(at.last_weight(k));
    auto sum = hn::Zero(d);
    for (int r = 0; r < Rows; ++r) {
      const auto activation = in.get(r, k);
      sum = hn::MulAdd(gradient[r], activation, sum);
      delta.set(r, k, through_relu(d, activation, hn::Mul(weight, gradient[r])));
    }
    if (dw.data) dw.add(at.last_weight(k), sum);
  }
}

/// Gradient of a hidden layer; `delta` becomes that of the layer before it.
template <class T, int Rows>
HWY_INLINE void hidden_layer_vjp(const Layout& at, int layer, const Panel<T>& w,
                                 const Neurons<T, Rows>& in, Neurons<T, Rows>& delta,
                                 const GradientPanel<T>& dw) {
  const hn::ScalableTag<T> d;
  if (dw.data)
    for (int k = 0; k < kWidth; ++k) {
      auto bias = hn::Zero(d), s0 = bias, s1 = bias, s2 = bias, s3 = bias;
      for (int r = 0; r < Rows; ++r) {
        const auto gradient = delta.get(r, k);
        bias = hn::Add(bias, gradient);
        s0 = hn::MulAdd(gradient, in.get(r, 0), s0);
        s1 = hn::MulAdd(gradient, in.get(r, 1), s1);
        s2 = hn::MulAdd(gradient, in.get(r, 2), s2);
        s3 = hn::MulAdd(gradient, in.get(r, 3), s3);
      }
      dw.add(at.bias(layer, k), bias);
      dw.add(at.weight(layer, k, 0), s0);
      dw.add(at.weight(layer, k, 1), s1);
      dw.add(at.weight(layer, k, 2), s2);
      dw.add(at.weight(layer, k, 3), s3);
    }
  for (int r = 0; r < Rows; ++r) {
    const auto g0 = delta.get(r, 0), g1 = delta.get(r, 1), g2 = delta.get(r, 2),
               g3 = delta.get(r, 3);
    for (int j = 0; j < kWidth; ++j) {
      auto sum = hn::Mul(w(at.weight(layer, 0, j)), g0);
      sum = hn::MulAdd(w(at.weight(layer, 1, j)), g1, sum);
      sum = hn::MulAdd(w(at.weight(layer, 2, j)), g2, sum);
      sum = hn::MulAdd(w(at.weight(layer, 3, j)), g3, sum);
      delta.set(r, j, through_relu(d, in.get(r, j), sum));
    }
  }
}

/// Gradient of the first layer.
template <class T, int Rows>
HWY_INLINE void first_layer_vjp(const Layout& at, const Panel<T>& w,
                                const ChannelNetworksVjp<T>& pass, std::int64_t row,
                                std::int64_t channel, const Neurons<T, Rows>& delta,
                                const GradientPanel<T>& dw) {
  const hn::ScalableTag<T> d;
  hn::Vec<decltype(d)> dx[Rows];
  for (int r = 0; r < Rows; ++r) dx[r] = hn::Zero(d);
  for (int k = 0; k < kWidth; ++k) {
    const auto weight = w(at.first_weight(k));
    auto bias = hn::Zero(d), sum = bias;
    for (int r = 0; r < Rows; ++r) {
      const auto gradient = delta.get(r, k);
      bias = hn::Add(bias, gradient);
      sum = hn::MulAdd(
          gradient, load_part(d, w.live, pass.x.data + (row + r) * pass.x.stride + channel), sum);
      dx[r] = hn::MulAdd(weight, gradient, dx[r]);
    }
    if (dw.data) {
      dw.add(at.first_bias(k), bias);
      dw.add(at.first_weight(k), sum);
    }
  }
  if (!pass.dx.data) return;
  for (int r = 0; r < Rows; ++r) {
    T* to = pass.dx.data + (row + r) * pass.dx.stride + channel;
    store_part(d, w.live, pass.accumulate_dx ? hn::Add(load_part(d, w.live, to), dx[r]) : dx[r],
               to);
  }
}

template <int Rows, class T>
HWY_INLINE void vjp_rows(const Layout& at, const Panel<T>& w, const ChannelNetworksVjp<T>& pass,
                         std::int64_t row, std::int64_t channel) {
  Neurons<T, Rows> layers[Layout::kMaxDepth];
  Neurons<T, Rows> delta;
  const GradientPanel<T> dw{pass.dweights.data ? pass.dweights.data + channel : nullptr,
                            pass.dweights.stride, w.live};
  hidden_layers(at, w, pass.x.data + row * pass.x.stride + channel, pass.x.stride, layers);
  last_layer_vjp(at, w, pass.dy.data + row * pass.dy.stride + channel, pass.dy.stride,
                 layers[at.depth - 1], delta, dw);
  for (int layer = at.depth - 1; layer > 0; --layer)
    hidden_layer_vjp(at, layer, w, layers[layer - 1], delta, dw);
  first_layer_vjp(at, w, pass, row, channel, delta, dw);
}

template <class T>
void vjp(int depth, const ChannelNetworksVjp<T>& pass) {
  const Layout at{depth};
  for_each_part<T>(pass.x.cols, [&](std::int64_t channel, std::int64_t live) HWY_ATTR {
    const Panel<T> w{pass.weights.data + channel, pass.weights.stride, live};
    for_each_tile(pass.x.rows, [&](std::int64_t row, auto rows)
                                   HWY_ATTR { vjp_rows<rows()>(at, w, pass, row, channel); });
  });
}

template <class T>
constexpr ChannelNetworksKernelSet<T> kKernelSet = {
    .forward = &forward<T>,
    .vjp = &vjp<T>,
};

const ChannelNetworksKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const ChannelNetworksKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(ChannelNetworksKernelSet)

template <class T>
void check_shapes(int depth, MatrixView<const T> x, MatrixView<const T> weights) {
  base::check(1 <= depth && depth <= ChannelNetworkLayout::kMaxDepth,
              "channel_networks: depth out of range");
  base::check(weights.rows == ChannelNetworkLayout{depth}.count() && weights.cols == x.cols,
              "channel_networks: weights of another shape");
}

template <class T>
bool same_shape(MatrixView<const T> a, MatrixView<const T> b) {
  return a.rows == b.rows && a.cols == b.cols;
}

}  // namespace

template <class T>
void channel_networks(int depth, MatrixView<const T> x, MatrixView<const T> weights,
                      MatrixView<T> out) {
  check_shapes(depth, x, weights);
  base::check(same_shape<T>(x, out), "channel_networks: output of another shape");
  kernels<T>().forward(depth, x, weights, out);
}

template <class T>
void channel_networks_vjp(int depth, const ChannelNetworksVjp<T>& pass) {
  check_shapes(depth, pass.x, pass.weights);
  base::check(same_shape<T>(pass.x, pass.dy), "channel_networks_vjp: dy of another shape");
  if (pass.dweights.data && !pass.accumulate_dweights)
    for (std::int64_t i = 0; i < pass.dweights.rows; ++i)
      std::ranges::fill(pass.dweights.row(i), T(0));
  kernels<T>().vjp(depth, pass);
}

#define ASAP_INSTANTIATE(T)                                                                        \
  template void channel_networks<T>(int, MatrixView<const T>, MatrixView<const T>, MatrixView<T>); \
  template void channel_networks_vjp<T>(int, const ChannelNetworksVjp<T>&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
#endif  // HWY_ONCE
