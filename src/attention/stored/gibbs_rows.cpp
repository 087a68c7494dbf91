#include "attention/stored/gibbs_rows.h"

#include <limits>

#include "attention/stored/scaling_kernels.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"

namespace asap::attention {
namespace {

constexpr std::int64_t kBlockEntries = std::int64_t{1} << 16;
// Blocks of fewer rows would spend their time packing keys; whole vectors of rows are summed best.
constexpr std::int64_t kRowUnit = 32;

template <class T>
tensor::VectorView<T> rows_from(tensor::VectorView<T> x, std::int64_t first, std::int64_t count) {
  return x.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

}  // namespace

template <class T>
GibbsRows<T>::GibbsRows(const AttentionHead<T>& head, SinkhornState<T>& state,
                        tensor::Arena& scratch)
    : head_(head), state_(state), memory_(state.gibbs), block_rows_(head.queries.rows) {
  const std::int64_t m = state.gibbs.cols, stride = state.gibbs.stride;
  if (state.lifetime == GibbsLifetime::blocks) block_rows_ = std::min(block_rows_, cached_rows());
  if (state.lifetime != GibbsLifetime::kept)
    memory_ = {scratch.take<T>(block_rows_ * stride), block_rows_, m, stride};
  block_columns_ = scratch.vector<T>(stride);
}

template <class T>
std::int64_t GibbsRows<T>::cached_rows() const {
  const std::int64_t stride = std::max<std::int64_t>(state_.gibbs.stride, 1);
  return std::max<std::int64_t>(kBlockEntries / stride / kRowUnit, 1) * kRowUnit;
}

template <class T>
tensor::MatrixView<T> GibbsRows<T>::rows_of_block(std::int64_t first, std::int64_t count) const {
  const bool whole = state_.lifetime != GibbsLifetime::blocks;
  return memory_.block(whole ? first : 0, 0, count, memory_.cols);
}

template <class T>
void GibbsRows<T>::compute_scores(std::int64_t first, tensor::MatrixView<T> block) const {
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, head_.scale,
                  head_.queries.block(first, 0, block.rows, head_.queries.cols), head_.keys, T(0),
                  block, head_.precision);
}

template <class T>
void GibbsRows<T>::compute(std::int64_t first, tensor::MatrixView<T> block) const {
  compute_scores(first, block);
  // The padding of the scores becomes that of K, which has to be zero.
  for (std::int64_t i = 0; i < block.rows; ++i)
    std::fill(block.data + i * block.stride + block.cols, block.data + (i + 1) * block.stride,
              std::numeric_limits<T>::lowest() / 4);
  exponentiate<T>(block, rows_from<T>(state_.row_shift, first, block.rows), state_.column_shift);
}

template <class T>
tensor::MatrixView<const T> GibbsRows<T>::block(std::int64_t first, std::int64_t count) const {
  const tensor::MatrixView<T> rows = rows_of_block(first, count);
  if (state_.lifetime == GibbsLifetime::blocks) compute(first, rows);
  return rows;
}

template <class T>
void GibbsRows<T>::begin(tensor::VectorView<T> column_sum) {
  const tensor::VectorView<T> start = state_.v(0), column_shift = state_.column_shift;
  const std::int64_t n = head_.queries.rows, m = state_.gibbs.cols;
  std::ranges::fill(column_shift, std::numeric_limits<T>::max());
  for (std::int64_t first = 0; first < n; first += block_rows_) {
    const tensor::MatrixView<T> rows = rows_of_block(first, std::min(block_rows_, n - first));
    compute_scores(first, rows);
    score_shifts<T>(rows, rows_from(state_.row_shift, first, rows.rows), block_columns_);
    for (std::size_t j = 0; j < column_shift.size(); ++j)
      column_shift[j] = std::min(column_shift[j], block_columns_[j]);
  }
  // g = 0 in the coordinates of the shifted Gibbs kernel.
  tensor::scale<T>(T(-1), column_shift, start);
  tensor::exponential<T>(start, start);
  std::fill(start.begin() + m, start.end(), T(0));
  if (state_.lifetime == GibbsLifetime::blocks)
    scaling_sweep(start, state_.u(0), column_sum);
  else
    exponentiate_and_scale<T>(memory_, state_.row_shift, column_shift, start, state_.u(0),
                              column_sum);
}

template <class T>
void GibbsRows<T>::restore() {
  if (state_.lifetime == GibbsLifetime::released) compute(0, memory_);
}

/// column_sum = sum of what sweep(first, block, sums of the block) leaves for all blocks.
template <class T>
template <class Sweep>
void GibbsRows<T>::add_sweeps(tensor::VectorView<T> column_sum, const Sweep& sweep) const {
  for_each_block(block_rows_, [&](std::int64_t first, tensor::MatrixView<const T> rows) {
    sweep(first, rows, first == 0 ? column_sum : block_columns_);
    if (first > 0) tensor::axpy<T>(T(1), block_columns_, column_sum);
  });
}

template <class T>
void GibbsRows<T>::scaling_sweep(tensor::VectorView<const T> v, tensor::VectorView<T> u,
                                 tensor::VectorView<T> column_sum) const {
  add_sweeps(column_sum,
             [&](std::int64_t first, tensor::MatrixView<const T> rows, tensor::VectorView<T> sums) {
               attention::scaling_sweep<T>(rows, v, rows_from(u, first, rows.rows), sums);
             });
}

template <class T>
void GibbsRows<T>::adjoint_sweep(tensor::VectorView<const T> x, tensor::VectorView<const T> factor,
                                 tensor::VectorView<T> w, tensor::VectorView<T> column_sum) const {
  add_sweeps(column_sum,
             [&](std::int64_t first, tensor::MatrixView<const T> rows, tensor::VectorView<T> sums) {
               attention::adjoint_sweep<T>(rows, x, rows_from(factor, first, rows.rows),
                                           rows_from(w, first, rows.rows), sums);
             });
}

template <class T>
void GibbsRows<T>::weighted_column_sum(tensor::VectorView<const T> w,
                                       tensor::VectorView<T> column_sum) const {
  add_sweeps(column_sum,
             [&](std::int64_t first, tensor::MatrixView<const T> rows, tensor::VectorView<T> sums) {
               attention::weighted_column_sum<T>(rows, rows_from(w, first, rows.rows), sums);
             });
}

template <class T>
void GibbsRows<T>::times(tensor::MatrixView<const T> x, tensor::MatrixView<T> out) const {
  for_each_block(block_rows_, [&](std::int64_t first, tensor::MatrixView<const T> rows) {
    tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), rows, x, T(0),
                    out.block(first, 0, rows.rows, out.cols), head_.precision);
  });
}

template <class T>
void GibbsRows<T>::transposed_times(tensor::MatrixView<const T> x,
                                    tensor::MatrixView<T> out) const {
  for_each_block(block_rows_, [&](std::int64_t first, tensor::MatrixView<const T> rows) {
    tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(1), rows,
                    x.block(first, 0, rows.rows, x.cols), first == 0 ? T(0) : T(1), out,
                    head_.precision);
  });
}

template class GibbsRows<float>;
template class GibbsRows<double>;

}  // namespace asap::attention
