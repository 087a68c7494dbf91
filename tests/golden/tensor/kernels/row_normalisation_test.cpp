#include <doctest/doctest.h>

#include "golden/golden_file.h"
#include "golden/operator_tolerance.h"
#include "tensor/kernels/row_ops.h"

using namespace asap::test;

TEST_CASE("layer norm and its gradients equal PyTorch's") {
  using namespace asap;
  const io::TensorFile file = read_golden("operators.safetensors");
  const tensor::Tensor<double> x = golden(file, "layer_norm.x");
  const tensor::Tensor<double> gain = golden(file, "layer_norm.weight");
  const tensor::Tensor<double> offset = golden(file, "layer_norm.bias");
  const tensor::Tensor<double> dy = golden(file, "layer_norm.output_gradient");
  const std::int64_t rows = x.shape()[0];

  tensor::Tensor<double> y(x.shape()), mean(tensor::Shape{rows}),
      inverse_deviation(tensor::Shape{rows});
  tensor::layer_norm<double>(x.rows(), {gain.flat(), offset.flat()}, y.rows(), mean.flat(),
                             inverse_deviation.flat());
  CHECK(relative_difference(y.flat(), golden(file, "layer_norm.output").flat()) < kTolerance);

  tensor::Tensor<double> dx(x.shape()), dgain(gain.shape()), doffset(offset.shape());
  tensor::layer_norm_vjp<double>(x.rows(), gain.flat(), mean.flat(), inverse_deviation.flat(),
                                 dy.rows(), {dx.rows(), false, dgain.flat(), doffset.flat()});
  CHECK(relative_difference(dx.flat(), golden(file, "layer_norm.x_gradient").flat()) < kTolerance);
  CHECK(relative_difference(dgain.flat(), golden(file, "layer_norm.weight_gradient").flat()) <
        kTolerance);
  CHECK(relative_difference(doffset.flat(), golden(file, "layer_norm.bias_gradient").flat()) <
        kTolerance);
}

TEST_CASE("softmax and its gradient equal PyTorch's") {
  using namespace asap;
  const io::TensorFile file = read_golden("operators.safetensors");
  const tensor::Tensor<double> x = golden(file, "softmax.x");
  const tensor::Tensor<double> dy = golden(file, "softmax.output_gradient");
  tensor::Tensor<double> y(x.shape()), dx(x.shape());
  tensor::softmax_rows<double>(x.rows(), y.rows());
  tensor::softmax_rows_vjp<double>(y.rows(), dy.rows(), dx.rows(), false);
  CHECK(relative_difference(y.flat(), golden(file, "softmax.output").flat()) < kTolerance);
  CHECK(relative_difference(dx.flat(), golden(file, "softmax.x_gradient").flat()) < kTolerance);
}
