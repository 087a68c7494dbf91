#pragma once

#include "region/network/piecewise_linear.h"
#include "region/network/relu_network.h"
#include "region/network/samples.h"

namespace asap::region {

/// sum_i w_i (f(x_i) - y_i)^2 / sum_i w_i
double mean_squared_error(const PiecewiseLinear& function, const Samples& samples);

/// Joins neighbouring pieces whose slopes agree: a knot goes when the function without it differs
/// there by at most `tolerance`.
PiecewiseLinear without_idle_knots(const PiecewiseLinear& function, double tolerance);

/// The network of one hidden layer that equals the function on the whole line: one neuron a piece,
/// at least two. Left of a middle knot neurons look left, right of it right, so that no large
/// numbers cancel.
ReluNetwork to_network(const PiecewiseLinear& function);

}  // namespace asap::region
