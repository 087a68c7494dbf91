#include "autodiff/image_ops.h"

#include "tensor/kernels/batch_normalisation.h"
#include "tensor/kernels/convolution.h"
#include "tensor/kernels/max_pooling.h"

namespace asap::autodiff {
namespace {

tensor::ConvolutionShape convolution_shape(const tensor::Shape& x, const tensor::Shape& filters) {
  base::check(x.rank() == 4 && filters.rank() == 2, "convolution: x is [B, height, width, C]");
  tensor::ConvolutionShape shape{x[1], x[2], x[3], filters[0], 1};
  while (shape.window() < filters[1]) shape.side += 2;
  base::check(shape.window() == filters[1], "convolution: the window is not an odd square");
  return shape;
}

tensor::PoolingShape pooling_shape(const tensor::Shape& x) { return {x[1], x[2]}; }

/// The vector-Jacobian product of batch_norm in training.
template <class T>
void pull_back_norm(Pullback<T>& p, const BatchNormSettings& settings,
                    tensor::MatrixView<const T> moments) {
  const tensor::ColumnNorm<T> norm{p.input(1).flat(), p.input(2).flat(), settings.epsilon,
                                   settings.relu};
  tensor::NormaliseColumnsVjp<T> pass{.x = p.input(0).rows(),
                                      .mean = moments.row(0),
                                      .variance = moments.row(1),
                                      .dy = p.output_gradient().rows()};
  if (p.wants(0)) {
    const GradientSlot<T> slot = p.slot(0);
    pass.dx = slot.view.rows();
    pass.accumulate_dx = slot.accumulate;
  }
  const GradientSlot<T> gain = p.slot(1), offset = p.slot(2);
  base::check(!gain.accumulate && !offset.accumulate, "batch_norm: gain and offset are its own");
  pass.dgain = gain.view.flat();
  pass.doffset = offset.view.flat();
  tensor::normalise_columns_vjp<T>(norm, pass);
  if (!p.wants(3)) return;
  const GradientSlot<T> slot = p.slot(3);
  base::check(!slot.accumulate, "batch_norm: the statistics are its own");
  const tensor::TensorView<const T> running = p.input(3);
  const T share = static_cast<T>(settings.batch_share);
  for (std::int64_t i = 0; i < running.size(); ++i)
    slot.view.data[i] = share * (running.data[i] - moments.data[i]);
}

}  // namespace

template <class T>
Var<T> convolution(Var<T> x, Var<T> filters) {
  const tensor::ConvolutionShape shape = convolution_shape(x.shape(), filters.shape());
  const tensor::TensorView<T> out =
      x.tape().allocate({x.shape()[0], shape.height, shape.width, shape.outputs});
  tensor::convolve<T>(shape, x.value().rows(), filters.value().rows(), {}, out.rows());
  return x.tape().record(out, {x, filters}, [shape](Pullback<T>& p) {
    const tensor::MatrixView<const T> dy = p.output_gradient().rows();
    if (p.wants(0)) {
      const GradientSlot<T> slot = p.slot(0);
      tensor::convolution_input_gradient<T>(shape, p.input(1).rows(), dy, slot.view.rows(),
                                            slot.accumulate);
    }
    if (p.wants(1)) {
      const GradientSlot<T> slot = p.slot(1);
      tensor::convolution_filter_gradient<T>(shape, p.input(0).rows(), dy, slot.view.rows(),
                                             slot.accumulate);
    }
  });
}

template <class T>
Var<T> batch_norm(Var<T> x, Var<T> gain, Var<T> offset, Var<T> statistics,
                  const BatchNormSettings& settings) {
  const tensor::TensorView<T> out = x.tape().allocate(x.shape());
  const tensor::ColumnNorm<T> norm{gain.value().flat(), offset.value().flat(), settings.epsilon,
                                   settings.relu};
  const bool training = settings.batch_share > 0;
  tensor::MatrixView<const T> moments = statistics.value().rows();
  if (training) {
    const tensor::TensorView<T> own = x.tape().allocate(statistics.shape());
    tensor::column_moments<T>(x.value().rows(), own.rows().row(0), own.rows().row(1));
    moments = own.rows();
  }
  tensor::normalise_columns<T>(norm, x.value().rows(), moments.row(0), moments.row(1), out.rows());
  return x.tape().record(out, {x, gain, offset, statistics}, [=](Pullback<T>& p) {
    base::check(training, "batch_norm: there is a gradient only in training");
    pull_back_norm(p, settings, moments);
  });
}

template <class T>
Var<T> max_pool(Var<T> x) {
  const tensor::Shape shape = x.shape();
  base::check(shape.rank() == 4, "max_pool: x is [B, height, width, C]");
  const tensor::TensorView<T> out =
      x.tape().allocate({shape[0], shape[1] / 2, shape[2] / 2, shape[3]});
  tensor::max_pool<T>(pooling_shape(shape), x.value().rows(), out.rows());
  return x.tape().record(out, {x}, [](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::max_pool_vjp<T>(pooling_shape(p.input(0).shape), p.input(0).rows(), p.output().rows(),
                            p.output_gradient().rows(), slot.view.rows(), slot.accumulate);
  });
}

#define ASAP_INSTANTIATE(T)                                                                \
  template Var<T> convolution<T>(Var<T>, Var<T>);                                          \
  template Var<T> batch_norm<T>(Var<T>, Var<T>, Var<T>, Var<T>, const BatchNormSettings&); \
  template Var<T> max_pool<T>(Var<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
