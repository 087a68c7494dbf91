#include "autodiff/elementwise_ops.h"

#include <algorithm>
#include <array>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/row_ops.h"

namespace asap::autodiff {
namespace {

using Strides = std::array<std::int64_t, tensor::Shape::kMaxRank>;

tensor::Shape broadcast_shape(const tensor::Shape& a, const tensor::Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  tensor::Shape out;
  for (int i = -rank; i < 0; ++i) {
    const std::int64_t left = -i <= a.rank() ? a[i] : 1;
    const std::int64_t right = -i <= b.rank() ? b[i] : 1;
    base::check(left == right || left == 1 || right == 1, "add: shapes cannot be broadcast");
    out.append(left == 1 ? right : left);
  }
  return out;
}

/// Row-major strides of `shape` seen as a tensor of shape `out`; 0 where it is repeated.
Strides broadcast_strides(const tensor::Shape& shape, const tensor::Shape& out) {
  Strides strides{};
  std::int64_t stride = 1;
  for (int i = 1; i <= shape.rank(); ++i) {
    strides[out.rank() - i] = shape[-i] == 1 ? 0 : stride;
    stride *= shape[-i];
  }
  return strides;
}

/// Calls body(position in out, position in operand) for every element of out, in order.
template <class Body>
void for_each_broadcast(const tensor::Shape& out, const Strides& strides, const Body& body) {
  std::array<std::int64_t, tensor::Shape::kMaxRank> index{};
  const std::int64_t total = out.size();
  std::int64_t offset = 0;
  for (std::int64_t position = 0; position < total; ++position) {
    body(position, offset);
    for (int axis = out.rank() - 1; axis >= 0; --axis) {
      offset += strides[axis];
      if (++index[axis] < out[axis]) break;
      offset -= strides[axis] * out[axis];
      index[axis] = 0;
    }
  }
}

/// Whether `small` repeated over leading dimensions gives `large`: the usual bias or position
/// table.
bool is_suffix(const tensor::Shape& small, const tensor::Shape& large) {
  if (small.rank() > large.rank()) return false;
  for (int i = 1; i <= small.rank(); ++i)
    if (small[-i] != large[-i]) return false;
  return true;
}

/// out += operand, repeated.
template <class T>
void add_broadcast(tensor::TensorView<const T> operand, tensor::TensorView<T> out) {
  if (is_suffix(operand.shape, out.shape) && operand.size() > 0) {
    const std::int64_t rows = out.size() / operand.size();
    tensor::add_bias_rows<T>(tensor::MatrixView<T>(out.data, rows, operand.size()), operand.flat());
    return;
  }
  for_each_broadcast(
      out.shape, broadcast_strides(operand.shape, out.shape),
      [&](std::int64_t to, std::int64_t from) { out.data[to] += operand.data[from]; });
}

/// The adjoint: sums dy over everything the operand was repeated for.
template <class T>
void reduce_broadcast(tensor::TensorView<const T> dy, const GradientSlot<T>& slot) {
  if (is_suffix(slot.view.shape, dy.shape) && slot.view.size() > 0) {
    const std::int64_t cols = slot.view.size();
    tensor::column_sums<T>(tensor::MatrixView<const T>(dy.data, dy.size() / cols, cols),
                           slot.view.flat(), slot.accumulate);
    return;
  }
  if (!slot.accumulate) std::fill_n(slot.view.data, slot.view.size(), T(0));
  for_each_broadcast(
      dy.shape, broadcast_strides(slot.view.shape, dy.shape),
      [&](std::int64_t from, std::int64_t to) { slot.view.data[to] += dy.data[from]; });
}

}  // namespace

template <class T>
Var<T> add(Var<T> a, Var<T> b) {
  const tensor::TensorView<const T> left = a.value(), right = b.value();
  const tensor::TensorView<T> out = a.tape().allocate(broadcast_shape(left.shape, right.shape));
  if (left.shape == right.shape) {
    tensor::add<T>(left.flat(), right.flat(), out.flat());
  } else {
    std::fill_n(out.data, out.size(), T(0));
    add_broadcast(left, out);
    add_broadcast(right, out);
  }
  return a.tape().record(out, {a, b}, [](Pullback<T>& p) {
    for (int input = 0; input < 2; ++input) {
      if (!p.wants(input)) continue;
      if (p.input(input).shape == p.output().shape)
        p.pass_on(input);
      else
        reduce_broadcast(p.output_gradient(), p.slot(input));
    }
  });
}

template <class T>
Var<T> scale(Var<T> x, T alpha) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  tensor::scale<T>(alpha, x.value().flat(), out.flat());
  return x.tape().record(out, {x}, [alpha](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::scale<T>(alpha, p.output_gradient().flat(), slot.view.flat(), slot.accumulate);
  });
}

template <class T>
Var<T> exponential(Var<T> x) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  tensor::exponential<T>(x.value().flat(), out.flat());
  return x.tape().record(out, {x}, [](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::multiply<T>(p.output().flat(), p.output_gradient().flat(), slot.view.flat(),
                        slot.accumulate);
  });
}

template <class T>
Var<T> gelu(Var<T> x) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  tensor::gelu<T>(x.value().flat(), out.flat());
  return x.tape().record(out, {x}, [](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::gelu_vjp<T>(p.input(0).flat(), p.output_gradient().flat(), slot.view.flat(),
                        slot.accumulate);
  });
}

template <class T>
Var<T> gelu_erf(Var<T> x) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  tensor::gelu_erf<T>(x.value().flat(), out.flat());
  return x.tape().record(out, {x}, [](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::gelu_erf_vjp<T>(p.input(0).flat(), p.output_gradient().flat(), slot.view.flat(),
                            slot.accumulate);
  });
}

template <class T>
Var<T> hyperbolic_tangent(Var<T> x) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  tensor::hyperbolic_tangent<T>(x.value().flat(), out.flat());
  return x.tape().record(out, {x}, [](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::hyperbolic_tangent_vjp<T>(p.output().flat(), p.output_gradient().flat(),
                                      slot.view.flat(), slot.accumulate);
  });
}

template <class T>
Var<T> relu(Var<T> x) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  tensor::relu<T>(x.value().flat(), out.flat());
  return x.tape().record(out, {x}, [](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::relu_vjp<T>(p.input(0).flat(), p.output_gradient().flat(), slot.view.flat(),
                        slot.accumulate);
  });
}

#define ASAP_INSTANTIATE(T)                      \
  template Var<T> add<T>(Var<T>, Var<T>);        \
  template Var<T> scale<T>(Var<T>, T);           \
  template Var<T> exponential<T>(Var<T>);        \
  template Var<T> gelu<T>(Var<T>);               \
  template Var<T> gelu_erf<T>(Var<T>);           \
  template Var<T> hyperbolic_tangent<T>(Var<T>); \
  template Var<T> relu<T>(Var<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
