#include "autodiff/row_ops.h"

#include <algorithm>
#include <cmath>

#include "tensor/kernels/elementwise.h"

namespace asap::autodiff {

template <class T>
Var<T> layer_norm(Var<T> x, Var<T> gain, Var<T> offset, double epsilon) {
  Tape<T>& tape = x.tape();
  const tensor::MatrixView<const T> in = x.value().rows();
  const tensor::TensorView<T> out = tape.allocate(x.shape());
  const tensor::VectorView<T> mean = tape.arena().template vector<T>(in.rows);
  const tensor::VectorView<T> inverse = tape.arena().template vector<T>(in.rows);
  layer_norm<T>(in,
                tensor::LayerNormWeights<T>{gain.value().flat(), offset.value().flat(), epsilon},
                out.rows(), mean, inverse);
  return tape.record(out, {x, gain, offset}, [mean, inverse](Pullback<T>& p) {
    tensor::LayerNormGradients<T> gradients;
    if (p.wants(0)) {
      const GradientSlot<T> slot = p.slot(0);
      gradients.x = slot.view.rows();
      gradients.accumulate_x = slot.accumulate;
    }
    if (p.wants(1)) {
      const GradientSlot<T> gain = p.slot(1), offset = p.slot(2);
      for (const GradientSlot<T>& slot : {gain, offset})
        if (!slot.accumulate) std::fill_n(slot.view.data, slot.view.size(), T(0));
      gradients.gain = gain.view.flat();
      gradients.offset = offset.view.flat();
    }
    tensor::layer_norm_vjp<T>(p.input(0).rows(), p.input(1).flat(), mean, inverse,
                              p.output_gradient().rows(), gradients);
  });
}

template <class T>
Var<T> softmax_rows(Var<T> x) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  softmax_rows<T>(x.value().rows(), out.rows());
  return x.tape().record(out, {x}, [](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::softmax_rows_vjp<T>(p.output().rows(), p.output_gradient().rows(), slot.view.rows(),
                                slot.accumulate);
  });
}

template <class T>
Var<T> log_sum_exp_rows(Var<T> x) {
  const tensor::MatrixView<const T> in = x.value().rows();
  tensor::Shape shape;
  for (int i = 0; i + 1 < x.shape().rank(); ++i) shape.append(x.shape()[i]);
  shape.append(1);
  const tensor::TensorView<T> out = x.tape().allocate(shape);
  log_sum_exp_rows<T>(in, out.flat());
  return x.tape().record(out, {x}, [](Pullback<T>& p) {
    const tensor::MatrixView<const T> in = p.input(0).rows();
    const GradientSlot<T> slot = p.slot(0);
    const tensor::MatrixView<T> dx = slot.view.rows();
    for (std::int64_t i = 0; i < in.rows; ++i)
      for (std::int64_t j = 0; j < in.cols; ++j) {
        const T d = p.output_gradient().data[i] * std::exp(in(i, j) - p.output().data[i]);
        dx(i, j) = slot.accumulate ? dx(i, j) + d : d;
      }
  });
}

template <class T>
Var<T> cross_entropy(Var<T> logits, std::span<const std::int32_t> labels, T label_smoothing,
                     T divisor) {
  Tape<T>& tape = logits.tape();
  const tensor::MatrixView<const T> in = logits.value().rows();
  base::check(static_cast<std::size_t>(in.rows) == labels.size(),
              "cross_entropy: one label per row");
  const tensor::TensorView<T> out = tape.allocate({1});
  const tensor::VectorView<T> log_sums = tape.arena().template vector<T>(in.rows);
  log_sum_exp_rows<T>(in, log_sums);
  const T uniform = label_smoothing / static_cast<T>(in.cols);
  T total = T(0);
  for (std::int64_t i = 0; i < in.rows; ++i) {
    if (labels[i] < 0) continue;
    const T mean_term = uniform > T(0) ? uniform * tensor::sum<T>(in.row(i)) : T(0);
    total += log_sums[i] - (T(1) - label_smoothing) * in(i, labels[i]) - mean_term;
  }
  out.data[0] = total / divisor;
  return tape.record(out, {logits}, [=](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    const tensor::MatrixView<const T> in = p.input(0).rows();
    const tensor::MatrixView<T> dx = slot.view.rows();
    const T factor = p.output_gradient().data[0] / divisor;
    for (std::int64_t i = 0; i < in.rows; ++i) {
      if (labels[i] < 0) {
        if (!slot.accumulate) std::ranges::fill(dx.row(i), T(0));
        continue;
      }
      for (std::int64_t j = 0; j < in.cols; ++j) {
        const T target = uniform + (j == labels[i] ? T(1) - label_smoothing : T(0));
        const T d = factor * (std::exp(in(i, j) - log_sums[i]) - target);
        dx(i, j) = slot.accumulate ? dx(i, j) + d : d;
      }
    }
  });
}

#define ASAP_INSTANTIATE(T)                                      \
  template Var<T> layer_norm<T>(Var<T>, Var<T>, Var<T>, double); \
  template Var<T> softmax_rows<T>(Var<T>);                       \
  template Var<T> log_sum_exp_rows<T>(Var<T>);                   \
  template Var<T> cross_entropy<T>(Var<T>, std::span<const std::int32_t>, T, T);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
