#include "attention/espformer_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "tensor/elementwise.h"
#include "tensor/gemm.h"
#include "tensor/row_ops.h"
#include "transport/sorting.h"

namespace asap {
namespace {

constexpr std::int64_t kBlock =
    64;  // rows of a soft permutation computed at a time: they stay in cache

/// Projections of one side on one slice, as they lie and sorted.
template <class T>
struct Line {
  VectorView<T> values;  // [n]
  VectorView<T> sorted;  // [n]
};

template <class T>
Line<T> project(MatrixView<const T> tokens, MatrixView<const T> slice, Arena& scratch) {
  const Line<T> line{scratch.vector<T>(tokens.rows), scratch.vector<T>(tokens.rows)};
  gemm<T>(Transpose::no, Transpose::yes, T(1), slice, tokens, T(0),
          {line.values.data(), 1, tokens.rows});
  std::copy(line.values.begin(), line.values.end(), line.sorted.begin());
  sort_values(line.sorted);
  return line;
}

/// Rows [first, first + block.rows) of the soft permutation before their division by the sums,
/// whose inverses go to `inverse_sums`. Each row holds exp(0) = 1, so no sum is small. block:
/// [rows, n].
template <class T>
void soft_permutation(const Line<T>& line, T beta, std::int64_t first, MatrixView<T> block,
                      VectorView<T> inverse_sums) {
  for (std::int64_t r = 0; r < block.rows; ++r) {
    T* row = block.row(r).data();
    const T centre = line.sorted[first + r];
    const T* values = line.values.data();
    for (std::int64_t i = 0; i < block.cols; ++i) {
      const T difference = values[i] - centre;
      row[i] = -beta * difference * difference;
    }
    exponential<T>(block.row(r), block.row(r));
    inverse_sums[r] = T(1) / sum<T>(block.row(r));
  }
}

/// [tokens | |token|²] or the beginning of it: what a soft permutation is applied to for the costs.
template <class T>
void append_tokens(MatrixView<const T> tokens, std::int64_t column, MatrixView<T> packed) {
  for (std::int64_t i = 0; i < tokens.rows; ++i) {
    std::copy_n(tokens.row(i).data(), tokens.cols, packed.row(i).data() + column);
    packed(i, column + tokens.cols) = dot<T>(tokens.row(i), tokens.row(i));
  }
}

/// out = Q packed: keys in soft order. packed, out: [m, W].
template <class T>
void sort_softly(const Line<T>& line, T beta, MatrixView<const T> packed, MatrixView<T> out,
                 Arena& scratch) {
  const ArenaScope scope(scratch);
  const MatrixView<T> room = scratch.matrix<T>(kBlock, packed.rows);
  const VectorView<T> inverse_sums = scratch.vector<T>(kBlock);
  for (std::int64_t first = 0; first < packed.rows; first += kBlock) {
    const std::int64_t rows = std::min(kBlock, packed.rows - first);
    const MatrixView<T> block = room.block(0, 0, rows, packed.rows);
    const MatrixView<T> part = out.block(first, 0, rows, out.cols);
    soft_permutation<T>(line, beta, first, block, inverse_sums);
    gemm<T>(Transpose::no, Transpose::no, T(1), block, packed, T(0), part);
    scale_rows<T>(part, inverse_sums.first(static_cast<std::size_t>(rows)), part);
  }
}

/// out = C sorted, C_rc = n |[r/n, (r+1)/n] ∩ [c/m, (c+1)/m]|: what rank r of n receives from ranks
/// of m. sorted: [m, W], out: [n, W].
template <class T>
void couple_ranks(MatrixView<const T> sorted, MatrixView<T> out) {
  const std::int64_t n = out.rows, m = sorted.rows;
  for (std::int64_t r = 0; r < n; ++r) {
    std::fill(out.row(r).begin(), out.row(r).end(), T(0));
    // In units of 1 / (n m), rank r covers [r m, (r + 1) m) and rank c covers [c n, (c + 1) n).
    for (std::int64_t c = r * m / n; c < m && c * n < (r + 1) * m; ++c) {
      const std::int64_t shared = std::min((r + 1) * m, (c + 1) * n) - std::max(r * m, c * n);
      axpy<T>(static_cast<T>(shared) / static_cast<T>(m), sorted.row(c), out.row(r));
    }
  }
}

/// One head made ready: what keys and queries carry through the soft permutations.
template <class T>
struct Carried {
  MatrixView<T> keys;     // [V | K | |k|²] or V: [m, W]
  MatrixView<T> queries;  // [Q | |q|²]: [n, D + 1]; empty without costs
};

template <class T>
Carried<T> pack(const AttentionHead<T>& head, bool with_costs, Arena& scratch) {
  const std::int64_t width = head.queries.cols, values = head.values.cols;
  Carried<T> carried;
  carried.keys = scratch.matrix<T>(head.keys.rows, with_costs ? values + width + 1 : values);
  for (std::int64_t j = 0; j < head.keys.rows; ++j)
    std::copy_n(head.values.row(j).data(), values, carried.keys.row(j).data());
  if (!with_costs) return carried;
  append_tokens<T>(head.keys, values, carried.keys);
  carried.queries = scratch.matrix<T>(head.queries.rows, width + 1);
  append_tokens<T>(head.queries, 0, carried.queries);
  return carried;
}

/// sum over rows r of |q|²_r + |k|²_r - 2 q_r . k_r, all of them carried through soft permutations.
/// queries: [rows, D + 1]; keys: [rows, Dv + D + 1].
template <class T>
double transport_cost(MatrixView<const T> queries, MatrixView<const T> keys) {
  const std::int64_t width = queries.cols - 1, column = keys.cols - queries.cols;
  double cost = 0;
  for (std::int64_t r = 0; r < queries.rows; ++r) {
    const auto count = static_cast<std::size_t>(width);
    const T product = dot<T>(queries.row(r).first(count),
                             keys.row(r).subspan(static_cast<std::size_t>(column), count));
    cost += queries(r, width) + keys(r, column + width) - 2 * product;
  }
  return cost;
}

/// output = Γ V of one slice. Returns its cost D in units of scale, 0 without costs.
template <class T>
double slice_attention(const AttentionHead<T>& head, const Carried<T>& carried,
                       MatrixView<const T> slice, T beta, MatrixView<T> output, Arena& scratch) {
  const ArenaScope scope(scratch);
  const std::int64_t n = head.queries.rows, m = head.keys.rows, width = carried.keys.cols;
  const Line<T> s = project<T>(head.queries, slice, scratch);
  const Line<T> t = project<T>(head.keys, slice, scratch);
  MatrixView<T> sorted = scratch.matrix<T>(m, width);
  sort_softly<T>(t, beta, carried.keys, sorted, scratch);
  if (n != m) {
    const MatrixView<T> coupled = scratch.matrix<T>(n, width);
    couple_ranks<T>(sorted, coupled);
    sorted = coupled;
  }
  const MatrixView<T> room = scratch.matrix<T>(kBlock, n);
  const MatrixView<T> sorted_queries = scratch.matrix<T>(kBlock, head.queries.cols + 1);
  const VectorView<T> inverse_sums = scratch.vector<T>(kBlock);
  double cost = 0;
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t rows = std::min(kBlock, n - first);
    const MatrixView<T> block = room.block(0, 0, rows, n);
    const MatrixView<T> keys = sorted.block(first, 0, rows, width);
    const VectorView<T> inverse = inverse_sums.first(static_cast<std::size_t>(rows));
    soft_permutation<T>(s, beta, first, block, inverse);
    if (carried.queries.data != nullptr) {
      const MatrixView<T> queries = sorted_queries.block(0, 0, rows, sorted_queries.cols);
      gemm<T>(Transpose::no, Transpose::no, T(1), block, carried.queries, T(0), queries);
      scale_rows<T>(queries, inverse, queries);
      cost += transport_cost<T>(queries, keys);
    }
    const MatrixView<T> values = keys.block(0, 0, rows, output.cols);
    scale_rows<T>(values, inverse, values);
    gemm<T>(Transpose::yes, Transpose::no, T(1), block, values, first == 0 ? T(0) : T(1), output);
  }
  return cost / static_cast<double>(n);
}

}  // namespace

template <class T>
void espformer_attention(const AttentionHead<T>& head, MatrixView<const T> slices,
                         const EspformerSettings& settings, MatrixView<T> output, Arena& scratch) {
  check(slices.rows > 0 && slices.cols == head.queries.cols,
        "espformer_attention: no slices, or of another width");
  const ArenaScope scope(scratch);
  for (std::int64_t i = 0; i < output.rows; ++i)
    std::fill(output.row(i).begin(), output.row(i).end(), T(0));
  if (head.queries.rows == 0 || head.keys.rows == 0) return;
  const Carried<T> carried =
      pack<T>(head, settings.slice_inverse_temperature > 0 && slices.rows > 1, scratch);
  const MatrixView<T> slice_output = scratch.matrix<T>(output.rows, output.cols);
  const T beta = static_cast<T>(settings.sort_inverse_temperature) * head.scale;
  const double alpha = settings.slice_inverse_temperature * static_cast<double>(head.scale);
  // Softmax over slices whose costs become known one by one: `output` is kept relative to the least
  // so far.
  double least = std::numeric_limits<double>::infinity(), total = 0;
  for (std::int64_t l = 0; l < slices.rows; ++l) {
    const double cost = slice_attention<T>(head, carried, slices.block(l, 0, 1, slices.cols), beta,
                                           slice_output, scratch);
    const double previous = least;
    least = std::min(least, cost);
    const double kept = l == 0 ? 0 : std::exp(alpha * (least - previous));
    const double weight = std::exp(alpha * (least - cost));
    total = total * kept + weight;
    for (std::int64_t i = 0; i < output.rows; ++i) {
      scale<T>(static_cast<T>(kept), output.row(i), output.row(i));
      axpy<T>(static_cast<T>(weight), slice_output.row(i), output.row(i));
    }
  }
  for (std::int64_t i = 0; i < output.rows; ++i)
    scale<T>(static_cast<T>(1 / total), output.row(i), output.row(i));
}

template void espformer_attention<float>(const AttentionHead<float>&, MatrixView<const float>,
                                         const EspformerSettings&, MatrixView<float>, Arena&);
template void espformer_attention<double>(const AttentionHead<double>&, MatrixView<const double>,
                                          const EspformerSettings&, MatrixView<double>, Arena&);

}  // namespace asap
