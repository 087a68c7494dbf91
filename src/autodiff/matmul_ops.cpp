#include "autodiff/matmul_ops.h"

#include "tensor/kernels/row_ops.h"

namespace asap::autodiff {
namespace {

/// Matrix `index` of a batch stored as [..., rows, cols].
template <class T>
tensor::MatrixView<T> matrix_of(const tensor::TensorView<T>& x, std::int64_t index) {
  const std::int64_t rows = x.shape[-2], cols = x.shape[-1];
  return {x.data + index * rows * cols, rows, cols};
}

std::int64_t batch_of(const tensor::Shape& shape) {
  std::int64_t count = 1;
  for (int i = 0; i + 2 < shape.rank(); ++i) count *= shape[i];
  return count;
}

tensor::Transpose flip(tensor::Transpose t) {
  return t == tensor::Transpose::no ? tensor::Transpose::yes : tensor::Transpose::no;
}

}  // namespace

template <class T>
Var<T> matmul(Var<T> a, Var<T> b, tensor::Transpose transpose_a, tensor::Transpose transpose_b) {
  const tensor::TensorView<const T> left = a.value(), right = b.value();
  base::check(left.shape.rank() >= 2 && left.shape.rank() == right.shape.rank(),
              "matmul: ranks differ");
  tensor::Shape shape;
  for (int i = 0; i + 2 < left.shape.rank(); ++i) {
    base::check(left.shape[i] == right.shape[i], "matmul: batch dimensions differ");
    shape.append(left.shape[i]);
  }
  shape.append(left.shape[transpose_a == tensor::Transpose::no ? -2 : -1]);
  shape.append(right.shape[transpose_b == tensor::Transpose::no ? -1 : -2]);
  const tensor::TensorView<T> out = a.tape().allocate(shape);
  const std::int64_t batch = batch_of(shape);
  for (std::int64_t i = 0; i < batch; ++i)
    tensor::gemm<T>(transpose_a, transpose_b, T(1), matrix_of(left, i), matrix_of(right, i), T(0),
                    matrix_of(out, i));

  return a.tape().record(out, {a, b}, [=](Pullback<T>& p) {
    const auto accumulate = [&](int input, tensor::Transpose tx,
                                const tensor::TensorView<const T>& x, tensor::Transpose ty,
                                const tensor::TensorView<const T>& y) {
      const GradientSlot<T> slot = p.slot(input);
      const T beta = slot.accumulate ? T(1) : T(0);
      for (std::int64_t i = 0; i < batch; ++i)
        tensor::gemm<T>(tx, ty, T(1), matrix_of(x, i), matrix_of(y, i), beta,
                        matrix_of(slot.view, i));
    };
    const tensor::TensorView<const T> dy = p.output_gradient();
    const tensor::TensorView<const T> left = p.input(0), right = p.input(1);
    // d op(a) = dy op(b)ᵀ, d op(b) = op(a)ᵀ dy; transposed once more where the operand was.
    if (p.wants(0)) {
      if (transpose_a == tensor::Transpose::no)
        accumulate(0, tensor::Transpose::no, dy, flip(transpose_b), right);
      else
        accumulate(0, transpose_b, right, tensor::Transpose::yes, dy);
    }
    if (p.wants(1)) {
      if (transpose_b == tensor::Transpose::no)
        accumulate(1, flip(transpose_a), left, tensor::Transpose::no, dy);
      else
        accumulate(1, tensor::Transpose::yes, dy, transpose_a, left);
    }
  });
}

template <class T>
Var<T> linear(Var<T> x, Var<T> weight, Var<T> bias, tensor::ProductPrecision precision) {
  tensor::Shape shape;
  for (int i = 0; i + 1 < x.shape().rank(); ++i) shape.append(x.shape()[i]);
  shape.append(weight.shape()[0]);
  const tensor::TensorView<T> out = x.tape().allocate(shape);
  tensor::affine<T>(x.value().rows(), weight.value().rows(), bias.value().flat(), T(0), out.rows(),
                    precision);

  return x.tape().record(out, {x, weight, bias}, [precision](Pullback<T>& p) {
    const tensor::MatrixView<const T> dy = p.output_gradient().rows();
    if (p.wants(0)) {
      const GradientSlot<T> dx = p.slot(0);
      tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), dy, p.input(1).rows(),
                      dx.accumulate ? T(1) : T(0), dx.view.rows(), precision);
    }
    if (p.wants(1)) {
      const GradientSlot<T> dw = p.slot(1);
      tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(1), dy, p.input(0).rows(),
                      dw.accumulate ? T(1) : T(0), dw.view.rows(), precision);
    }
    if (p.wants(2)) {
      const GradientSlot<T> db = p.slot(2);
      tensor::column_sums<T>(dy, db.view.flat(), db.accumulate);
    }
  });
}

#define ASAP_INSTANTIATE(T)                                                        \
  template Var<T> matmul<T>(Var<T>, Var<T>, tensor::Transpose, tensor::Transpose); \
  template Var<T> linear<T>(Var<T>, Var<T>, Var<T>, tensor::ProductPrecision);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
