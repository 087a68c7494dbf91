#include "region/fit/adam_fit.h"

#include <cmath>
#include <numbers>

#include "tensor/kernels/elementwise.h"

namespace asap::region {

double adam_fit(numerics::LeastSquaresModel& model, tensor::VectorView<double> parameters,
                const AdamOptions& options) {
  const std::int64_t count = model.parameter_count();
  tensor::Tensor<double> residuals({model.residual_count()}), gradient({count}), first({count}),
      second({count});
  tensor::AdamWStep<double> step{options.learning_rate, 0.9, 0.999, 1e-8, 0.0, 1.0, 1.0, 2.0};
  double power1 = 1, power2 = 1;
  for (int i = 0; i < options.steps; ++i) {
    model.evaluate(parameters, residuals.flat());
    model.gradient(residuals.flat(), gradient.flat());
    step.learning_rate =
        options.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * i / options.steps));
    power1 *= step.beta1;
    power2 *= step.beta2;
    step.correction1 = 1 - power1;
    step.correction2 = 1 - power2;
    tensor::adamw_update<double>(step, gradient.flat(), parameters, first.flat(), second.flat());
    model.constrain(parameters);
  }
  model.evaluate(parameters, residuals.flat());
  const double cost = tensor::dot<double>(residuals.flat(), residuals.flat());
  if (!std::isfinite(cost)) throw base::NumericalError("Adam diverged: the cost is not finite");
  return cost;
}

}  // namespace asap::region
