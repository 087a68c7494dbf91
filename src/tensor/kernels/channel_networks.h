#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// The order of the numbers of a ReLU network with one input, one output and `depth` hidden layers
/// of width 4 (Milkert, Hyde and Laine, ICML 2025): layer by layer, weights row by row before
/// biases, the last layer linear.
struct ChannelNetworkLayout {
  static constexpr int kWidth = 4;
  static constexpr int kMaxDepth = 8;

  int depth;

  int first_weight(int neuron) const { return neuron; }
  int first_bias(int neuron) const { return kWidth + neuron; }
  /// Of hidden layer `layer`, 1 <= layer < depth.
  int weight(int layer, int neuron, int input) const {
    return hidden(layer) + kWidth * neuron + input;
  }
  int bias(int layer, int neuron) const { return hidden(layer) + kWidth * kWidth + neuron; }
  int last_weight(int input) const { return hidden(depth) + input; }
  int last_bias() const { return hidden(depth) + kWidth; }
  /// Numbers of one network: 20 depth - 7.
  int count() const { return last_bias() + 1; }

 private:
  int hidden(int layer) const { return 2 * kWidth + (layer - 1) * (kWidth * kWidth + kWidth); }
};

/// Every channel (column) of x has a network of its own: out(r, c) = network c at x(r, c).
/// x, out: [rows, channels], which may be the same; weights: [layout.count(), channels], so that
/// vectors of channels lie side by side. 1 <= depth <= kMaxDepth; InternalError otherwise or for
/// other shapes.
template <class T>
void channel_networks(int depth, MatrixView<const T> x, MatrixView<const T> weights,
                      MatrixView<T> out);

/// Inputs and outputs of channel_networks_vjp. A gradient without data is not computed.
template <class T>
struct ChannelNetworksVjp {
  MatrixView<const T> x;        ///< [rows, channels]
  MatrixView<const T> weights;  ///< [count, channels]
  MatrixView<const T> dy;       ///< [rows, channels]
  MatrixView<T> dx = {};        ///< [rows, channels]
  bool accumulate_dx = false;   ///< add to what is there instead of writing
  MatrixView<T> dweights = {};  ///< [count, channels]
  bool accumulate_dweights = false;
};

/// The adjoint of channel_networks: gradients of <dy, out>. At a corner
/// the derivative is the one from the left, as for relu. InternalError when shapes do not fit.
template <class T>
void channel_networks_vjp(int depth, const ChannelNetworksVjp<T>& pass);

}  // namespace asap::tensor
