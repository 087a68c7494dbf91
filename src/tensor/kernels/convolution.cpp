#include "tensor/kernels/convolution.h"

#include <algorithm>

#include "tensor/core/tensor.h"
#include "tensor/kernels/gemm.h"

namespace asap::tensor {
namespace {

/// Size of a block of windows, which a core's second cache holds beside filters and output.
constexpr std::int64_t kBlockBytes = std::int64_t{256} << 10;

/// Pixels of a block: a multiple of the rows of a tile of gemm.
template <class T>
std::int64_t block_pixels(const ConvolutionShape& shape) {
  const std::int64_t fit = kBlockBytes / (shape.window() * std::int64_t{sizeof(T)});
  return std::max<std::int64_t>(fit / 16, 4) * 16;
}

/// The part of one window that lies in one row of the image, [side, inputs], around column x, where
/// the window leaves the image. `line`: that row of the image.
template <class T>
void gather_at_edge(const ConvolutionShape& shape, const T* line, std::int64_t x, T* out) {
  const std::int64_t reach = shape.side / 2, channels = shape.inputs;
  const std::int64_t from = std::max<std::int64_t>(x - reach, 0);
  const std::int64_t to = std::min(x + reach + 1, shape.width);
  out = std::fill_n(out, (from - (x - reach)) * channels, T(0));
  out = std::copy_n(line + from * channels, (to - from) * channels, out);
  std::fill_n(out, (x + reach + 1 - to) * channels, T(0));
}

/// The same for the windows around columns `first`, ... of one row of pixels: in `windows`, from
/// column `offset` on. `line`: null outside the image.
template <class T>
void gather_line(const ConvolutionShape& shape, const T* line, std::int64_t first,
                 std::int64_t offset, MatrixView<T> windows) {
  const std::int64_t reach = shape.side / 2, part = shape.side * shape.inputs;
  T* out = windows.data + offset;
  for (std::int64_t x = first; x < first + windows.rows; ++x, out += windows.stride) {
    if (line == nullptr)
      std::fill_n(out, part, T(0));
    else if (x >= reach && x + reach < shape.width)
      std::copy_n(line + (x - reach) * shape.inputs, part, out);
    else
      gather_at_edge(shape, line, x, out);
  }
}

/// Calls body(first, windows) for every block of pixels.
template <class T, class Body>
void for_each_block(const ConvolutionShape& shape, MatrixView<const T> images, const Body& body) {
  const std::int64_t most = std::min(block_pixels<T>(shape), images.rows);
  thread_local Tensor<T> memory;
  if (memory.size() < most * shape.window()) memory = Tensor<T>({most * shape.window()});
  for (std::int64_t first = 0; first < images.rows; first += most) {
    const MatrixView<T> windows(memory.data(), std::min(most, images.rows - first), shape.window());
    gather_windows<T>(shape, images, first, windows);
    body(first, MatrixView<const T>(windows));
  }
}

/// out = beta out + the convolution; see convolve.
template <class T>
void run_convolution(const ConvolutionShape& shape, MatrixView<const T> images,
                     MatrixView<const T> filters, VectorView<const T> bias, T beta,
                     MatrixView<T> out) {
  base::check(images.cols == shape.inputs && images.rows == out.rows &&
                  images.rows % shape.pixels() == 0 && filters.rows == shape.outputs &&
                  filters.cols == shape.window() && out.cols == shape.outputs,
              "convolve: shapes do not fit");
  for_each_block<T>(shape, images, [&](std::int64_t first, MatrixView<const T> windows) {
    const MatrixView<T> part = out.block(first, 0, windows.rows, out.cols);
    if (bias.empty())
      gemm<T>(Transpose::no, Transpose::yes, T(1), windows, filters, beta, part);
    else
      affine<T>(windows, filters, bias, beta, part);
  });
}

/// filters: [outputs, side * side, inputs] -> [inputs, side * side, outputs], windows backwards.
template <class T>
void turn_filters(const ConvolutionShape& shape, MatrixView<const T> filters,
                  MatrixView<T> turned) {
  const std::int64_t places = shape.side * shape.side;
  for (std::int64_t o = 0; o < shape.outputs; ++o)
    for (std::int64_t k = 0; k < places; ++k)
      for (std::int64_t i = 0; i < shape.inputs; ++i)
        turned(i, (places - 1 - k) * shape.outputs + o) = filters(o, k * shape.inputs + i);
}

}  // namespace

template <class T>
void gather_windows(const ConvolutionShape& shape, MatrixView<const T> images, std::int64_t first,
                    MatrixView<T> windows) {
  const std::int64_t reach = shape.side / 2, part = shape.side * shape.inputs;
  for (std::int64_t row = 0; row < windows.rows;) {
    const std::int64_t image = (first + row) / shape.pixels(),
                       pixel = (first + row) % shape.pixels();
    const std::int64_t y = pixel / shape.width, x = pixel % shape.width;
    const MatrixView<T> same_line =
        windows.block(row, 0, std::min(shape.width - x, windows.rows - row), windows.cols);
    for (std::int64_t k = 0; k < shape.side; ++k) {
      const std::int64_t line = y + k - reach;
      const bool outside = line < 0 || line >= shape.height;
      gather_line<T>(
          shape, outside ? nullptr : images.row(image * shape.pixels() + line * shape.width).data(),
          x, k * part, same_line);
    }
    row += same_line.rows;
  }
}

template <class T>
void convolve(const ConvolutionShape& shape, MatrixView<const T> images,
              MatrixView<const T> filters, VectorView<const T> bias, MatrixView<T> out) {
  run_convolution<T>(shape, images, filters, bias, T(0), out);
}

template <class T>
void convolution_filter_gradient(const ConvolutionShape& shape, MatrixView<const T> images,
                                 MatrixView<const T> dy, MatrixView<T> dfilters, bool accumulate) {
  base::check(dy.rows == images.rows && dy.cols == shape.outputs && images.cols == shape.inputs &&
                  dfilters.rows == shape.outputs && dfilters.cols == shape.window(),
              "convolution_filter_gradient: shapes do not fit");
  for_each_block<T>(shape, images, [&](std::int64_t first, MatrixView<const T> windows) {
    gemm<T>(Transpose::yes, Transpose::no, T(1), dy.block(first, 0, windows.rows, dy.cols), windows,
            first > 0 || accumulate ? T(1) : T(0), dfilters);
  });
}

template <class T>
void convolution_input_gradient(const ConvolutionShape& shape, MatrixView<const T> filters,
                                MatrixView<const T> dy, MatrixView<T> dimages, bool accumulate) {
  const ConvolutionShape back{shape.height, shape.width, shape.outputs, shape.inputs, shape.side};
  Tensor<T> turned({back.outputs, back.window()});
  turn_filters<T>(shape, filters, turned.rows());
  run_convolution<T>(back, dy, turned.rows(), {}, accumulate ? T(1) : T(0), dimages);
}

#define ASAP_INSTANTIATE(T)                                                                    \
  template void gather_windows<T>(const ConvolutionShape&, MatrixView<const T>, std::int64_t,  \
                                  MatrixView<T>);                                              \
  template void convolve<T>(const ConvolutionShape&, MatrixView<const T>, MatrixView<const T>, \
                            VectorView<const T>, MatrixView<T>);                               \
  template void convolution_filter_gradient<T>(const ConvolutionShape&, MatrixView<const T>,   \
                                               MatrixView<const T>, MatrixView<T>, bool);      \
  template void convolution_input_gradient<T>(const ConvolutionShape&, MatrixView<const T>,    \
                                              MatrixView<const T>, MatrixView<T>, bool);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
