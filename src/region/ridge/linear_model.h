#pragma once

#include <span>
#include <vector>

#include "region/network/relu_network.h"
#include "region/network/samples.h"

namespace asap::region {

/// slope.x + height.
struct LinearModel {
  std::vector<double> slope;  ///< [inputs]
  double height = 0;

  double operator()(std::span<const double> x) const;
};

/// Least squares with a ridge of 1e-6 per row. rows: standardised. NumericalError where it has no
/// solution.
LinearModel fit_linear(const Rows& rows);

/// The model as a network with hidden layers of two neurons, relu(z) and relu(-z), which pass it
/// on: it holds everywhere.
ReluNetwork linear_network(const LinearModel& model, int depth);

/// The sum of two networks of the same inputs and depth, side by side.
ReluNetwork sum_of(const ReluNetwork& a, const ReluNetwork& b);

}  // namespace asap::region
