#include "tensor/kernels/elementwise.h"

#include <doctest/doctest.h>

#include "golden/golden_file.h"
#include "golden/operator_tolerance.h"

using namespace asap::test;

TEST_CASE("GELU in its tanh form and its gradient equal PyTorch's") {
  using namespace asap;
  const io::TensorFile file = read_golden("operators.safetensors");
  const tensor::Tensor<double> x = golden(file, "gelu.x");
  const tensor::Tensor<double> dy = golden(file, "gelu.output_gradient");
  tensor::Tensor<double> y(x.shape()), dx(x.shape());
  tensor::gelu<double>(x.flat(), y.flat());
  tensor::gelu_vjp<double>(x.flat(), dy.flat(), dx.flat(), false);
  CHECK(relative_difference(y.flat(), golden(file, "gelu.output").flat()) < kTolerance);
  CHECK(relative_difference(dx.flat(), golden(file, "gelu.x_gradient").flat()) < kTolerance);
}

TEST_CASE("ten AdamW steps equal PyTorch's") {
  using namespace asap;
  const io::TensorFile file = read_golden("adamw.safetensors");
  const auto setting = [&](const char* name) { return std::stod(file.metadata.at(name)); };
  const tensor::Tensor<double> gradients = golden(file, "gradients");
  const tensor::Tensor<double> trajectory = golden(file, "weights");
  const std::int64_t steps = gradients.shape()[0], size = gradients.shape()[1];

  tensor::Tensor<double> weights(tensor::Shape{size}), first_moment(tensor::Shape{size}),
      second_moment(tensor::Shape{size});
  std::copy_n(trajectory.data(), size, weights.data());
  const double beta1 = setting("beta1"), beta2 = setting("beta2");
  for (int step = 1; step <= steps; ++step) {
    const tensor::AdamWStep<double> update{.learning_rate = setting("learning_rate"),
                                           .beta1 = beta1,
                                           .beta2 = beta2,
                                           .epsilon = setting("epsilon"),
                                           .weight_decay = setting("weight_decay"),
                                           .correction1 = 1 - std::pow(beta1, step),
                                           .correction2 = 1 - std::pow(beta2, step),
                                           .gradient_scale = 1};
    tensor::adamw_update<double>(update, gradients.rows().row(step - 1), weights.flat(),
                                 first_moment.flat(), second_moment.flat());
    CHECK_MESSAGE(relative_difference(weights.flat(), trajectory.rows().row(step)) < kTolerance,
                  "step " << step);
  }
}
