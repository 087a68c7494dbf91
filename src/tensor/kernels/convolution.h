#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// A convolution with stride 1 whose output is as large as its input; what lies outside an image is
/// zero. Images are matrices with one row per pixel, [B * height * width, channels], row by row of
/// the image.
struct ConvolutionShape {
  std::int64_t height = 0, width = 0;
  std::int64_t inputs = 0, outputs = 0;  ///< channels
  std::int64_t side = 3;                 ///< of the square window; odd

  std::int64_t pixels() const { return height * width; }
  /// Numbers that one output pixel depends on, ordered (row of the window, column, input channel).
  std::int64_t window() const { return side * side * inputs; }
};

/// im2col: the windows around the pixels `first`, `first` + 1, ... of all images, one a row.
/// images: [B * pixels, inputs], windows: [count, window].
template <class T>
void gather_windows(const ConvolutionShape& shape, MatrixView<const T> images, std::int64_t first,
                    MatrixView<T> windows);

/// out(p, o) = Σ_k windows(p, k) filters(o, k) + bias(o). images: [B * pixels, inputs], filters:
/// [outputs, window], bias: [outputs] or empty, out: [B * pixels, outputs].
///
/// The windows of a block of pixels are gathered where they stay in the cache of a core and
/// multiplied by the filters there, so that a convolution runs at nearly the speed of gemm.
/// Single-threaded. An output pixel does not depend on which others are computed with it.
template <class T>
void convolve(const ConvolutionShape& shape, MatrixView<const T> images,
              MatrixView<const T> filters, VectorView<const T> bias, MatrixView<T> out);

/// dfilters(o, k) = Σ_p dy(p, o) windows(p, k), or += if `accumulate`. The arguments are those of
/// convolve, dy: [B * pixels, outputs].
template <class T>
void convolution_filter_gradient(const ConvolutionShape& shape, MatrixView<const T> images,
                                 MatrixView<const T> dy, MatrixView<T> dfilters, bool accumulate);

/// The gradient of the images, or += if `accumulate`: the convolution of dy with the filters turned
/// by 180 degrees and with inputs and outputs exchanged. dimages: [B * pixels, inputs].
template <class T>
void convolution_input_gradient(const ConvolutionShape& shape, MatrixView<const T> filters,
                                MatrixView<const T> dy, MatrixView<T> dimages, bool accumulate);

}  // namespace asap::tensor
