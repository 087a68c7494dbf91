#include "attention/kinds/soft_sort.h"

#include <algorithm>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/sorting.h"

namespace asap::attention {
namespace {

/// [token | |token|²] from `column` on.
template <class T>
void append_tokens(tensor::MatrixView<const T> tokens, std::int64_t column,
                   tensor::MatrixView<T> packed) {
  for (std::int64_t i = 0; i < tokens.rows; ++i) {
    std::copy_n(tokens.row(i).data(), tokens.cols, packed.row(i).data() + column);
    packed(i, column + tokens.cols) = tensor::dot<T>(tokens.row(i), tokens.row(i));
  }
}

/// Calls body(r, c, C_rc) for every entry of the coupling that is not zero.
template <class T, class Body>
void for_each_coupling(std::int64_t n, std::int64_t m, const Body& body) {
  for (std::int64_t r = 0; r < n; ++r)
    // In units of 1 / (n m), rank r covers [r m, (r + 1) m) and rank c covers [c n, (c + 1) n).
    for (std::int64_t c = r * m / n; c < m && c * n < (r + 1) * m; ++c) {
      const std::int64_t shared = std::min((r + 1) * m, (c + 1) * n) - std::max(r * m, c * n);
      body(r, c, static_cast<T>(shared) / static_cast<T>(m));
    }
}

template <class T>
tensor::VectorView<T> project(tensor::MatrixView<const T> tokens, tensor::MatrixView<const T> slice,
                              tensor::Arena& arena) {
  const tensor::VectorView<T> values = arena.vector<T>(tokens.rows);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), slice, tokens, T(0),
                  {values.data(), 1, tokens.rows});
  return values;
}

}  // namespace

template <class T>
SortedLine<T> sorted_line(tensor::MatrixView<const T> tokens, tensor::MatrixView<const T> slice,
                          tensor::Arena& arena) {
  const SortedLine<T> line{project<T>(tokens, slice, arena), arena.vector<T>(tokens.rows), {}};
  std::ranges::copy(line.values, line.sorted.begin());
  transport::sort_values(line.sorted);
  return line;
}

template <class T>
SortedLine<T> ordered_line(tensor::MatrixView<const T> tokens, tensor::MatrixView<const T> slice,
                           tensor::Arena& arena) {
  const SortedLine<T> line{project<T>(tokens, slice, arena), arena.vector<T>(tokens.rows),
                           arena.vector<std::int32_t>(tokens.rows)};
  transport::sort_with_order(line.values, line.sorted, line.order, arena);
  return line;
}

template <class T>
void soft_permutation(const SortedLine<T>& line, T beta, std::int64_t first,
                      tensor::MatrixView<T> block, tensor::VectorView<T> inverse_sums) {
  for (std::int64_t r = 0; r < block.rows; ++r) {
    T* row = block.row(r).data();
    const T centre = line.sorted[first + r];
    const T* values = line.values.data();
    for (std::int64_t i = 0; i < block.cols; ++i) {
      const T difference = values[i] - centre;
      row[i] = -beta * difference * difference;
    }
    tensor::exponential<T>(block.row(r), block.row(r));
    inverse_sums[r] = T(1) / tensor::sum<T>(block.row(r));
  }
}

template <class T>
void soft_permutation_vjp(const SortedLine<T>& line, T beta,
                          tensor::MatrixView<const T> permutation, tensor::MatrixView<T> gradient,
                          tensor::VectorView<T> d_values) {
  std::ranges::fill(d_values, T(0));
  tensor::softmax_rows_vjp<T>(permutation, gradient, gradient, false);
  for (std::int64_t r = 0; r < gradient.rows; ++r) {
    // Of -beta (s_i - s_(r))²: by s_i, and with the other sign by s_(r).
    T* row = gradient.row(r).data();
    const T centre = line.sorted[r];
    for (std::int64_t i = 0; i < gradient.cols; ++i)
      row[i] *= -2 * beta * (line.values[i] - centre);
    tensor::axpy<T>(T(1), gradient.row(r), d_values);
    d_values[line.order[r]] -= tensor::sum<T>(gradient.row(r));
  }
}

template <class T>
void couple_ranks(tensor::MatrixView<const T> sorted, tensor::MatrixView<T> out) {
  clear(out);
  for_each_coupling<T>(out.rows, sorted.rows, [&](std::int64_t r, std::int64_t c, T share) {
    tensor::axpy<T>(share, sorted.row(c), out.row(r));
  });
}

template <class T>
void couple_ranks_vjp(tensor::MatrixView<const T> gradient, tensor::MatrixView<T> d_sorted) {
  clear(d_sorted);
  for_each_coupling<T>(gradient.rows, d_sorted.rows, [&](std::int64_t r, std::int64_t c, T share) {
    tensor::axpy<T>(share, gradient.row(r), d_sorted.row(c));
  });
}

template <class T>
CarriedTokens<T> carry_tokens(const AttentionHead<T>& head, bool with_costs, tensor::Arena& arena) {
  const std::int64_t width = head.queries.cols, values = head.values.cols;
  CarriedTokens<T> carried;
  carried.keys = arena.matrix<T>(head.keys.rows, with_costs ? values + width + 1 : values);
  for (std::int64_t j = 0; j < head.keys.rows; ++j)
    std::copy_n(head.values.row(j).data(), values, carried.keys.row(j).data());
  if (!with_costs) return carried;
  append_tokens<T>(head.keys, values, carried.keys);
  carried.queries = arena.matrix<T>(head.queries.rows, width + 1);
  append_tokens<T>(head.queries, 0, carried.queries);
  return carried;
}

#define ASAP_INSTANTIATE(T)                                                                        \
  template SortedLine<T> sorted_line<T>(tensor::MatrixView<const T>, tensor::MatrixView<const T>,  \
                                        tensor::Arena&);                                           \
  template SortedLine<T> ordered_line<T>(tensor::MatrixView<const T>, tensor::MatrixView<const T>, \
                                         tensor::Arena&);                                          \
  template void soft_permutation<T>(const SortedLine<T>&, T, std::int64_t, tensor::MatrixView<T>,  \
                                    tensor::VectorView<T>);                                        \
  template void soft_permutation_vjp<T>(const SortedLine<T>&, T, tensor::MatrixView<const T>,      \
                                        tensor::MatrixView<T>, tensor::VectorView<T>);             \
  template void couple_ranks<T>(tensor::MatrixView<const T>, tensor::MatrixView<T>);               \
  template void couple_ranks_vjp<T>(tensor::MatrixView<const T>, tensor::MatrixView<T>);           \
  template CarriedTokens<T> carry_tokens<T>(const AttentionHead<T>&, bool, tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
