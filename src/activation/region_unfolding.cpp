#include "activation/region_unfolding.h"

#include <array>
#include <cmath>

#include "base/error.h"
#include "tensor/kernels/channel_networks.h"

namespace asap::activation {
namespace {

using Layout = tensor::ChannelNetworkLayout;

/// The sum's neuron carries 1 + sum / kLift, so that it stays alive and of the size of the others.
constexpr double kLift = 32;

/// Neurons of a layer.
constexpr int kSum = 0, kRising = 1, kFalling = 2, kOne = 3;

/// One channel's constrained form and what its layers are made of: W_i = rise_i t1 + fall_i t2 with
/// t1 = relu(W_{i-1}) and t2 = relu(W_{i-1} - a_i), and the scales s_i.
struct Triangles {
  int depth;
  double offset, slope, amplitude;
  std::array<double, Layout::kMaxDepth + 1> peak{};
  std::array<double, Layout::kMaxDepth> scale, rise, fall;

  template <class T>
  Triangles(tensor::MatrixView<const T> from, std::int64_t channel)
      : depth(region_depth(from.rows)) {
    for (int i = 0; i <= depth; ++i)
      peak[i] = 1 / (1 + std::exp(-static_cast<double>(from(i, channel))));
    offset = static_cast<double>(from(depth + 1, channel));
    slope = static_cast<double>(from(depth + 2, channel));
    amplitude = static_cast<double>(from(depth + 3, channel));
    for (int i = 0; i < depth; ++i) {
      scale[i] = (i == 0 ? peak[0] : scale[i - 1]) * (1 - peak[i]) * peak[i + 1];
      rise[i] = 1 / peak[i];
      fall[i] = -1 / (peak[i] * (1 - peak[i]));
    }
  }
};

void check_depth(int depth, std::int64_t weight_rows) {
  base::check(1 <= depth && depth <= Layout::kMaxDepth, "unfold_regions: depth out of range");
  base::check(weight_rows == Layout{depth}.count(), "unfold_regions: weights of another shape");
}

/// Gradient of a channel's triangles, filled layer by layer and then carried to the peaks.
struct TriangleGradient {
  double offset = 0, slope = 0, amplitude = 0;
  std::array<double, Layout::kMaxDepth + 1> peak{};
  std::array<double, Layout::kMaxDepth> scale{}, rise{}, fall{};

  /// Of A s_i rise_i and A s_i fall_i, the weights of level i in the sum.
  void add_sum(const Triangles& t, int i, double d_rise, double d_fall) {
    const double along = d_rise * t.rise[i] + d_fall * t.fall[i];
    amplitude += along * t.scale[i];
    scale[i] += along * t.amplitude;
    rise[i] += t.amplitude * t.scale[i] * d_rise;
    fall[i] += t.amplitude * t.scale[i] * d_fall;
  }

  void carry_to_peaks(const Triangles& t) {
    for (int i = t.depth - 1; i >= 0; --i) {
      const double a = t.peak[i], next = t.peak[i + 1];
      peak[i] += -rise[i] * t.rise[i] * t.rise[i] + fall[i] * (1 - 2 * a) * t.fall[i] * t.fall[i];
      if (i > 0) {
        scale[i - 1] += scale[i] * (1 - a) * next;
        peak[i] -= scale[i] * t.scale[i - 1] * next;
        peak[i + 1] += scale[i] * t.scale[i - 1] * (1 - a);
      } else {
        peak[0] += scale[0] * (1 - 2 * a) * next;
        peak[1] += scale[0] * a * (1 - a);
      }
    }
  }
};

}  // namespace

template <class T>
void unfold_regions(const RegionInterval& interval, tensor::MatrixView<const T> peaks,
                    tensor::MatrixView<T> weights) {
  const Layout at{region_depth(peaks.rows)};
  check_depth(at.depth, weights.rows);
  const double scale = 1 / (interval.high - interval.low), shift = -interval.low * scale;
  for (std::int64_t c = 0; c < peaks.cols; ++c) {
    const Triangles t(peaks, c);
    for (int row = 0; row < at.count(); ++row) weights(row, c) = 0;
    const auto set = [&](int row, double value) { weights(row, c) = static_cast<T>(value); };
    set(at.first_weight(kSum), t.slope * scale / kLift);
    set(at.first_bias(kSum), 1 + t.slope * shift / kLift);
    for (const int neuron : {kRising, kFalling}) set(at.first_weight(neuron), scale);
    set(at.first_bias(kRising), shift);
    set(at.first_bias(kFalling), shift - t.peak[0]);
    set(at.first_bias(kOne), 1);
    for (int layer = 1; layer < at.depth; ++layer) {
      const int i = layer - 1;
      set(at.weight(layer, kSum, kSum), 1);
      set(at.weight(layer, kSum, kRising), t.amplitude * t.scale[i] * t.rise[i] / kLift);
      set(at.weight(layer, kSum, kFalling), t.amplitude * t.scale[i] * t.fall[i] / kLift);
      for (const int neuron : {kRising, kFalling}) {
        set(at.weight(layer, neuron, kRising), t.rise[i]);
        set(at.weight(layer, neuron, kFalling), t.fall[i]);
      }
      set(at.weight(layer, kFalling, kOne), -t.peak[layer]);
      set(at.weight(layer, kOne, kOne), 1);
    }
    const int i = at.depth - 1;
    set(at.last_weight(kSum), kLift);
    set(at.last_weight(kRising), t.amplitude * t.scale[i] * t.rise[i]);
    set(at.last_weight(kFalling), t.amplitude * t.scale[i] * t.fall[i]);
    set(at.last_bias(), t.offset - kLift);
  }
}

template <class T>
void unfold_regions_vjp(const RegionInterval& interval, tensor::MatrixView<const T> peaks,
                        tensor::MatrixView<const T> dweights, tensor::MatrixView<T> dpeaks,
                        bool accumulate) {
  const Layout at{region_depth(peaks.rows)};
  check_depth(at.depth, dweights.rows);
  const double scale = 1 / (interval.high - interval.low), shift = -interval.low * scale;
  for (std::int64_t c = 0; c < peaks.cols; ++c) {
    const Triangles t(peaks, c);
    const auto d = [&](int row) { return static_cast<double>(dweights(row, c)); };
    TriangleGradient g;
    g.slope = (scale * d(at.first_weight(kSum)) + shift * d(at.first_bias(kSum))) / kLift;
    g.peak[0] = -d(at.first_bias(kFalling));
    g.offset = d(at.last_bias());
    for (int layer = 1; layer < at.depth; ++layer) {
      const int i = layer - 1;
      g.add_sum(t, i, d(at.weight(layer, kSum, kRising)) / kLift,
                d(at.weight(layer, kSum, kFalling)) / kLift);
      g.rise[i] += d(at.weight(layer, kRising, kRising)) + d(at.weight(layer, kFalling, kRising));
      g.fall[i] += d(at.weight(layer, kRising, kFalling)) + d(at.weight(layer, kFalling, kFalling));
      g.peak[layer] -= d(at.weight(layer, kFalling, kOne));
    }
    g.add_sum(t, at.depth - 1, d(at.last_weight(kRising)), d(at.last_weight(kFalling)));
    g.carry_to_peaks(t);
    const auto put = [&](int row, double value) {
      dpeaks(row, c) = static_cast<T>(value) + (accumulate ? dpeaks(row, c) : T(0));
    };
    for (int i = 0; i <= at.depth; ++i) put(i, g.peak[i] * t.peak[i] * (1 - t.peak[i]));
    put(at.depth + 1, g.offset);
    put(at.depth + 2, g.slope);
    put(at.depth + 3, g.amplitude);
  }
}

#define ASAP_INSTANTIATE(T)                                                               \
  template void unfold_regions<T>(const RegionInterval&, tensor::MatrixView<const T>,     \
                                  tensor::MatrixView<T>);                                 \
  template void unfold_regions_vjp<T>(const RegionInterval&, tensor::MatrixView<const T>, \
                                      tensor::MatrixView<const T>, tensor::MatrixView<T>, bool);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::activation
