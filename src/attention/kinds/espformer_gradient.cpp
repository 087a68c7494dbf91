#include <algorithm>

#include "attention/kinds/espformer_attention.h"
#include "attention/kinds/soft_sort.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap {
namespace {

/// What is the same for every slice.
template <class T>
struct Common {
  const AttentionHead<T>& head;
  const HeadGradients<T>& gradients;
  CarriedTokens<T> carried;  // X = [V | K | |k|²] and Z = [Q | |q|²]
  MatrixView<T> left;  // [dO | Q | |q|²], or dO: [n, E]; what the gradient of P is a product with
  T beta;
  double alpha;
  double mean;  // sum_l w_l <dO, Γ_l V> = <dO, O>

  std::int64_t value_width() const { return head.values.cols; }
};

template <class T>
MatrixView<T> full_permutation(const SortedLine<T>& line, T beta, Arena& arena) {
  const auto n = static_cast<std::int64_t>(line.values.size());
  const MatrixView<T> permutation = arena.matrix<T>(n, n);
  const VectorView<T> inverse_sums = arena.vector<T>(n);
  soft_permutation<T>(line, beta, 0, permutation, inverse_sums);
  scale_rows<T>(permutation, inverse_sums, permutation);
  return permutation;
}

/// tokens += d_values sliceᵀ: values are projections of tokens.
template <class T>
void projection_vjp(VectorView<const T> d_values, VectorView<const T> slice, MatrixView<T> tokens) {
  for (std::int64_t i = 0; i < tokens.rows; ++i) axpy<T>(d_values[i], slice, tokens.row(i));
}

/// gradient += what [tokens | |tokens|²] passes on. d_packed: [n, D + 1].
template <class T>
void packed_tokens_vjp(MatrixView<const T> tokens, MatrixView<const T> d_packed,
                       MatrixView<T> gradient) {
  const std::int64_t width = tokens.cols;
  for (std::int64_t i = 0; i < tokens.rows; ++i) {
    axpy<T>(T(1), d_packed.row(i).first(static_cast<std::size_t>(width)), gradient.row(i));
    axpy<T>(2 * d_packed(i, width), tokens.row(i), gradient.row(i));
  }
}

/// Gradient of the cost sum_r |q|²_r + |k|²_r - 2 q_r . k_r by the sorted [Q | |q|²] of which
/// `other` are the sorted [K | |k|²], or the other way round.
template <class T>
void cost_vjp(T d_cost, MatrixView<const T> other, MatrixView<T> gradient) {
  const std::int64_t width = other.cols - 1;
  for (std::int64_t r = 0; r < other.rows; ++r) {
    scale<T>(-2 * d_cost, other.row(r), gradient.row(r));
    gradient(r, width) = d_cost;
  }
}

/// Queries' side of one slice. sorted: R = C (Q X): [n, W]. Returns the gradient of R.
template <class T>
MatrixView<T> query_side(const Common<T>& c, MatrixView<const T> slice, double weight,
                         MatrixView<const T> sorted, Arena& arena) {
  const std::int64_t n = c.left.rows, values = c.value_width(), extra = c.left.cols - values;
  const MatrixView<T> d_sorted = arena.matrix<T>(n, sorted.cols);
  const ArenaScope scope(arena);
  const SortedLine<T> line = ordered_line<T>(c.head.queries, slice, arena);
  const MatrixView<T> permutation = full_permutation<T>(line, c.beta, arena);
  const MatrixView<T> carried = arena.matrix<T>(n, c.left.cols);  // P [dO | Q | |q|²]
  gemm<T>(Transpose::no, Transpose::no, T(1), permutation, c.left, T(0), carried);

  const MatrixView<T> right = arena.matrix<T>(n, c.left.cols);  // dP = right leftᵀ
  double product = 0;                                           // <dO, Γ V>
  for (std::int64_t r = 0; r < n; ++r) {
    const auto count = static_cast<std::size_t>(values);
    product += static_cast<double>(dot<T>(carried.row(r).first(count), sorted.row(r).first(count)));
    scale<T>(static_cast<T>(weight), sorted.row(r).first(count), right.row(r).first(count));
    scale<T>(static_cast<T>(weight), carried.row(r).first(count), d_sorted.row(r).first(count));
  }
  if (extra > 0) {
    const auto tokens = [&](const MatrixView<T>& all) { return all.block(0, values, n, extra); };
    const double d_sum = -c.alpha * weight * (product - c.mean);
    const T d_cost = static_cast<T>(d_sum / static_cast<double>(n));
    cost_vjp<T>(d_cost, sorted.block(0, values, n, extra), tokens(right));
    cost_vjp<T>(d_cost, tokens(carried), tokens(d_sorted));
    const MatrixView<T> d_packed = arena.matrix<T>(n, extra);
    gemm<T>(Transpose::yes, Transpose::no, T(1), permutation, tokens(right), T(0), d_packed);
    packed_tokens_vjp<T>(c.head.queries, d_packed, c.gradients.queries);
  }
  const MatrixView<T> d_permutation = arena.matrix<T>(n, n);
  gemm<T>(Transpose::no, Transpose::yes, T(1), right, c.left, T(0), d_permutation);
  const VectorView<T> d_values = arena.vector<T>(n);
  soft_permutation_vjp<T>(line, c.beta, permutation, d_permutation, d_values);
  projection_vjp<T>(d_values, slice.row(0), c.gradients.queries);
  return d_sorted;
}

/// Keys' side of one slice. d_sorted: gradient of Q X: [m, W].
template <class T>
void key_side(const Common<T>& c, const SortedLine<T>& line, MatrixView<const T> slice,
              MatrixView<const T> permutation, MatrixView<const T> d_sorted, Arena& arena) {
  const std::int64_t m = permutation.rows, values = c.value_width();
  const MatrixView<T> d_packed = arena.matrix<T>(m, d_sorted.cols);
  gemm<T>(Transpose::yes, Transpose::no, T(1), permutation, d_sorted, T(0), d_packed);
  for (std::int64_t j = 0; j < m; ++j)
    axpy<T>(T(1), d_packed.row(j).first(static_cast<std::size_t>(values)),
            c.gradients.values.row(j));
  if (c.carried.with_costs())
    packed_tokens_vjp<T>(c.head.keys, d_packed.block(0, values, m, d_packed.cols - values),
                         c.gradients.keys);
  const MatrixView<T> d_permutation = arena.matrix<T>(m, m);
  gemm<T>(Transpose::no, Transpose::yes, T(1), d_sorted, c.carried.keys, T(0), d_permutation);
  const VectorView<T> d_values = arena.vector<T>(m);
  soft_permutation_vjp<T>(line, c.beta, permutation, d_permutation, d_values);
  projection_vjp<T>(d_values, slice.row(0), c.gradients.keys);
}

template <class T>
void slice_vjp(const Common<T>& c, MatrixView<const T> slice, double weight, Arena& arena) {
  const ArenaScope scope(arena);
  const std::int64_t n = c.head.queries.rows, m = c.head.keys.rows, width = c.carried.keys.cols;
  const SortedLine<T> line = ordered_line<T>(c.head.keys, slice, arena);
  const MatrixView<T> permutation = full_permutation<T>(line, c.beta, arena);
  const MatrixView<T> sorted = arena.matrix<T>(m, width);
  gemm<T>(Transpose::no, Transpose::no, T(1), permutation, c.carried.keys, T(0), sorted);
  MatrixView<T> coupled = sorted;
  if (n != m) {
    coupled = arena.matrix<T>(n, width);
    couple_ranks<T>(sorted, coupled);
  }
  const MatrixView<T> d_coupled = query_side<T>(c, slice, weight, coupled, arena);
  MatrixView<T> d_sorted = d_coupled;
  if (n != m) {
    d_sorted = sorted;
    couple_ranks_vjp<T>(d_coupled, d_sorted);
  }
  key_side<T>(c, line, slice, permutation, d_sorted, arena);
}

template <class T>
void clear(MatrixView<T> x) {
  for (std::int64_t i = 0; i < x.rows; ++i) std::ranges::fill(x.row(i), T(0));
}

template <class T>
MatrixView<T> left_factor(const CarriedTokens<T>& carried, MatrixView<const T> output_gradient,
                          Arena& arena) {
  const std::int64_t values = output_gradient.cols;
  const MatrixView<T> left = arena.matrix<T>(output_gradient.rows, values + carried.queries.cols);
  for (std::int64_t i = 0; i < left.rows; ++i) {
    std::ranges::copy(output_gradient.row(i), left.row(i).begin());
    if (carried.with_costs())
      std::ranges::copy(carried.queries.row(i), left.row(i).begin() + values);
  }
  return left;
}

}  // namespace

template <class T>
void espformer_attention_vjp(const AttentionHead<T>& head, const EspformerPass<T>& pass,
                             MatrixView<const T> output, MatrixView<const T> output_gradient,
                             const HeadGradients<T>& gradients, Arena& scratch) {
  const ArenaScope scope(scratch);
  if (!gradients.accumulate)
    for (const MatrixView<T>& gradient : {gradients.queries, gradients.keys, gradients.values})
      clear(gradient);
  if (head.queries.rows == 0 || head.keys.rows == 0) return;
  const CarriedTokens<T> carried =
      carry_tokens<T>(head, pass.settings.weighs_slices(pass.slices.rows), scratch);
  double mean = 0;
  for (std::int64_t i = 0; i < output.rows; ++i)
    mean += static_cast<double>(dot<T>(output.row(i), output_gradient.row(i)));
  const Common<T> common{head,
                         gradients,
                         carried,
                         left_factor<T>(carried, output_gradient, scratch),
                         static_cast<T>(pass.settings.sort_inverse_temperature) * head.scale,
                         pass.settings.slice_inverse_temperature * static_cast<double>(head.scale),
                         mean};
  for (std::int64_t l = 0; l < pass.slices.rows; ++l)
    slice_vjp<T>(common, pass.slices.block(l, 0, 1, pass.slices.cols), pass.weights[l], scratch);
}

#define ASAP_INSTANTIATE(T)                                                                  \
  template void espformer_attention_vjp<T>(const AttentionHead<T>&, const EspformerPass<T>&, \
                                           MatrixView<const T>, MatrixView<const T>,         \
                                           const HeadGradients<T>&, Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
