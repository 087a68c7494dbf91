#pragma once

#include <cstdint>

#include "tensor/core/view.h"

namespace asap::region {

/// Kernels of one narrow layer on many samples. Samples are contiguous: h(j, i) is neuron j at
/// sample i. The kernels are vectorised over samples; sums over neurons have a fixed order.

/// z = W h + b, then out = relu_tau(z) and slope = relu_tau'(z) with
/// relu_tau(z) = (z + sqrt(z^2 + tau^2)) / 2, which is ReLU for tau = 0.
/// w: [outputs, inputs + 1], the bias in the last column; h: [inputs, n]; out, slope: [outputs, n].
void relu_layer(tensor::MatrixView<const double> w, tensor::MatrixView<const double> h, double tau,
                tensor::MatrixView<double> out, tensor::MatrixView<double> slope);

/// out = w h + b. w: [inputs + 1]; h: [inputs, n]; out: [n].
void linear_output(tensor::VectorView<const double> w, tensor::MatrixView<const double> h,
                   tensor::VectorView<double> out);

/// delta_h(j, i) = slope(j, i) * sum_k w(k, j) delta(k, i): sensitivities one layer down.
/// w: [outputs, inputs + 1]; delta: [outputs, n]; slope, delta_h: [inputs, n].
void relu_layer_vjp(tensor::MatrixView<const double> w, tensor::MatrixView<const double> delta,
                    tensor::MatrixView<const double> slope, tensor::MatrixView<double> delta_h);

/// Derivatives with respect to the weights of a layer, one row per weight in row-major order of w:
/// out(k * (inputs + 1) + j, i) = delta(k, i) * h(j, i), and delta(k, i) for the bias.
void layer_jacobian(tensor::MatrixView<const double> delta, tensor::MatrixView<const double> h,
                    tensor::MatrixView<double> out);

/// The same summed over samples: out(k * (inputs + 1) + j) = sum_i delta(k, i) h(j, i).
void layer_gradient(tensor::MatrixView<const double> delta, tensor::MatrixView<const double> h,
                    tensor::VectorView<double> out);

}  // namespace asap::region
