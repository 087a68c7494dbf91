#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include "autodiff/elementwise_ops.h"
#include "autodiff/shape_ops.h"
#include "autodiff/tape.h"
#include "base/random.h"

namespace asap::test {

using Leaves = std::vector<autodiff::Var<double>>;
using TapeD = autodiff::Tape<double>;

/// A tensor of standard normal values times `deviation`; `which` selects the stream.
inline tensor::Tensor<double> random_tensor(const tensor::Shape& shape, std::uint32_t which,
                                            double deviation = 1.0) {
  tensor::Tensor<double> tensor(shape);
  base::RandomStream random(7, base::RandomPurpose::test, which);
  for (double& value : tensor.flat()) value = deviation * random.normal();
  return tensor;
}

/// Inner product of a value with fixed random weights: a scalar that depends on every element.
inline autodiff::Var<double> weighted_sum(autodiff::Var<double> x) {
  autodiff::Tape<double>& tape = x.tape();
  const tensor::TensorView<double> weights = tape.allocate(x.shape());
  base::RandomStream random(11, base::RandomPurpose::test);
  for (double& value : weights.flat()) value = random.normal();
  const tensor::TensorView<double> out = tape.allocate({1});
  out.data[0] = 0;
  for (std::int64_t i = 0; i < weights.size(); ++i)
    out.data[0] += weights.data[i] * x.value().data[i];
  return tape.record(out, {x}, [weights](autodiff::Pullback<double>& p) {
    const autodiff::GradientSlot<double> slot = p.slot(0);
    for (std::int64_t i = 0; i < weights.size(); ++i) {
      const double d = weights.data[i] * p.output_gradient().data[0];
      slot.view.data[i] = slot.accumulate ? slot.view.data[i] + d : d;
    }
  });
}

/// A function of several tensors, built on a tape.
using TapeFunction = std::function<autodiff::Var<double>(
    autodiff::Tape<double>&, const std::vector<autodiff::Var<double>>&)>;

/// The function's weighted sum, on a tape that keeps its memory from one call to the next.
inline double evaluate(autodiff::Tape<double>& tape, const TapeFunction& function,
                       const std::vector<tensor::Tensor<double>>& inputs) {
  tape.clear();
  std::vector<autodiff::Var<double>> leaves;
  for (const tensor::Tensor<double>& input : inputs) leaves.push_back(tape.leaf(input.view()));
  return weighted_sum(function(tape, leaves)).value().data[0];
}

/// Largest difference between the tape's gradient and central differences over all elements of all
/// inputs, relative to the largest gradient element. Differences of step h = 1e-4 and 2h are
/// combined (Richardson), which leaves an error of order h^4 = 1e-16 times the fifth derivative and
/// rounding of about 1e-16 / 1e-4 = 1e-12, times the size of the function.
inline double gradient_error(const TapeFunction& function,
                             std::vector<tensor::Tensor<double>> inputs) {
  autodiff::Tape<double> tape;
  std::vector<autodiff::Var<double>> leaves;
  for (const tensor::Tensor<double>& input : inputs) leaves.push_back(tape.leaf(input.view()));
  tape.backward(weighted_sum(function(tape, leaves)));

  autodiff::Tape<double> scratch;
  double largest = 0, error = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const tensor::TensorView<const double> gradient = tape.gradient_of(leaves[k]);
    std::vector<tensor::Tensor<double>> moved = inputs;
    for (std::int64_t i = 0; i < inputs[k].size(); ++i) {
      const auto slope = [&](double h) {
        moved[k][i] = inputs[k][i] + h;
        const double above = evaluate(scratch, function, moved);
        moved[k][i] = inputs[k][i] - h;
        const double below = evaluate(scratch, function, moved);
        moved[k][i] = inputs[k][i];
        return (above - below) / (2 * h);
      };
      constexpr double h = 1e-4;
      const double expected = (4 * slope(h) - slope(2 * h)) / 3;
      error = std::max(error, std::abs(expected - gradient.data[i]));
      largest = std::max(largest, std::abs(expected));
    }
  }
  return error / std::max(largest, 1e-300);
}

/// The project's bound for every gradient in float64.
inline constexpr double kGradientTolerance = 1e-7;

}  // namespace asap::test
