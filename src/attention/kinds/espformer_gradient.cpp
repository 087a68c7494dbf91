#include <algorithm>

#include "attention/kinds/espformer_attention.h"
#include "attention/kinds/soft_sort.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

/// What is the same for every slice.
template <class T>
struct Common {
  const AttentionHead<T>& head;
  const HeadGradients<T>& gradients;
  CarriedTokens<T> carried;  // X = [V | K | |k|²] and Z = [Q | |q|²]
  tensor::MatrixView<T>
      left;  // [dO | Q | |q|²], or dO: [n, E]; what the gradient of P is a product with
  T beta;
  double alpha;
  double mean;  // sum_l w_l <dO, Γ_l V> = <dO, O>

  std::int64_t value_width() const { return head.values.cols; }
};

template <class T>
tensor::MatrixView<T> full_permutation(const SortedLine<T>& line, T beta, tensor::Arena& arena) {
  const auto n = static_cast<std::int64_t>(line.values.size());
  const tensor::MatrixView<T> permutation = arena.matrix<T>(n, n);
  const tensor::VectorView<T> inverse_sums = arena.vector<T>(n);
  soft_permutation<T>(line, beta, 0, permutation, inverse_sums);
  tensor::scale_rows<T>(permutation, inverse_sums, permutation);
  return permutation;
}

/// tokens += d_values sliceᵀ: values are projections of tokens.
template <class T>
void projection_vjp(tensor::VectorView<const T> d_values, tensor::VectorView<const T> slice,
                    tensor::MatrixView<T> tokens) {
  for (std::int64_t i = 0; i < tokens.rows; ++i) tensor::axpy<T>(d_values[i], slice, tokens.row(i));
}

/// gradient += what [tokens | |tokens|²] passes on. d_packed: [n, D + 1].
template <class T>
void packed_tokens_vjp(tensor::MatrixView<const T> tokens, tensor::MatrixView<const T> d_packed,
                       tensor::MatrixView<T> gradient) {
  const std::int64_t width = tokens.cols;
  for (std::int64_t i = 0; i < tokens.rows; ++i) {
    tensor::axpy<T>(T(1), d_packed.row(i).first(static_cast<std::size_t>(width)), gradient.row(i));
    tensor::axpy<T>(2 * d_packed(i, width), tokens.row(i), gradient.row(i));
  }
}

/// Gradient of the cost sum_r |q|²_r + |k|²_r - 2 q_r . k_r by the sorted [Q | |q|²] of which
/// `other` are the sorted [K | |k|²], or the other way round.
template <class T>
void cost_vjp(T d_cost, tensor::MatrixView<const T> other, tensor::MatrixView<T> gradient) {
  const std::int64_t width = other.cols - 1;
  for (std::int64_t r = 0; r < other.rows; ++r) {
    tensor::scale<T>(-2 * d_cost, other.row(r), gradient.row(r));
    gradient(r, width) = d_cost;
  }
}

/// Queries' side of one slice. sorted: R = C (Q X): [n, W]. Returns the gradient of R.
template <class T>
tensor::MatrixView<T> query_side(const Common<T>& c, tensor::MatrixView<const T> slice,
                                 double weight, tensor::MatrixView<const T> sorted,
                                 tensor::Arena& arena) {
  const std::int64_t n = c.left.rows, values = c.value_width(), extra = c.left.cols - values;
  const tensor::MatrixView<T> d_sorted = arena.matrix<T>(n, sorted.cols);
  const tensor::ArenaScope scope(arena);
  const SortedLine<T> line = ordered_line<T>(c.head.queries, slice, arena);
  const tensor::MatrixView<T> permutation = full_permutation<T>(line, c.beta, arena);
  const tensor::MatrixView<T> carried = arena.matrix<T>(n, c.left.cols);  // P [dO | Q | |q|²]
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), permutation, c.left, T(0),
                  carried);

  const tensor::MatrixView<T> right = arena.matrix<T>(n, c.left.cols);  // dP = right leftᵀ
  double product = 0;                                                   // <dO, Γ V>
  for (std::int64_t r = 0; r < n; ++r) {
    const auto count = static_cast<std::size_t>(values);
    product += static_cast<double>(
        tensor::dot<T>(carried.row(r).first(count), sorted.row(r).first(count)));
    tensor::scale<T>(static_cast<T>(weight), sorted.row(r).first(count), right.row(r).first(count));
    tensor::scale<T>(static_cast<T>(weight), carried.row(r).first(count),
                     d_sorted.row(r).first(count));
  }
  if (extra > 0) {
    const auto tokens = [&](const tensor::MatrixView<T>& all) {
      return all.block(0, values, n, extra);
    };
    const double d_sum = -c.alpha * weight * (product - c.mean);
    const T d_cost = static_cast<T>(d_sum / static_cast<double>(n));
    cost_vjp<T>(d_cost, sorted.block(0, values, n, extra), tokens(right));
    cost_vjp<T>(d_cost, tokens(carried), tokens(d_sorted));
    const tensor::MatrixView<T> d_packed = arena.matrix<T>(n, extra);
    tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(1), permutation, tokens(right),
                    T(0), d_packed);
    packed_tokens_vjp<T>(c.head.queries, d_packed, c.gradients.queries);
  }
  const tensor::MatrixView<T> d_permutation = arena.matrix<T>(n, n);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), right, c.left, T(0),
                  d_permutation);
  const tensor::VectorView<T> d_values = arena.vector<T>(n);
  soft_permutation_vjp<T>(line, c.beta, permutation, d_permutation, d_values);
  projection_vjp<T>(d_values, slice.row(0), c.gradients.queries);
  return d_sorted;
}

/// Keys' side of one slice. d_sorted: gradient of Q X: [m, W].
template <class T>
void key_side(const Common<T>& c, const SortedLine<T>& line, tensor::MatrixView<const T> slice,
              tensor::MatrixView<const T> permutation, tensor::MatrixView<const T> d_sorted,
              tensor::Arena& arena) {
  const std::int64_t m = permutation.rows, values = c.value_width();
  const tensor::MatrixView<T> d_packed = arena.matrix<T>(m, d_sorted.cols);
  tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(1), permutation, d_sorted, T(0),
                  d_packed);
  for (std::int64_t j = 0; j < m; ++j)
    tensor::axpy<T>(T(1), d_packed.row(j).first(static_cast<std::size_t>(values)),
                    c.gradients.values.row(j));
  if (c.carried.with_costs())
    packed_tokens_vjp<T>(c.head.keys, d_packed.block(0, values, m, d_packed.cols - values),
                         c.gradients.keys);
  const tensor::MatrixView<T> d_permutation = arena.matrix<T>(m, m);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), d_sorted, c.carried.keys,
                  T(0), d_permutation);
  const tensor::VectorView<T> d_values = arena.vector<T>(m);
  soft_permutation_vjp<T>(line, c.beta, permutation, d_permutation, d_values);
  projection_vjp<T>(d_values, slice.row(0), c.gradients.keys);
}

template <class T>
void slice_vjp(const Common<T>& c, tensor::MatrixView<const T> slice, double weight,
               tensor::Arena& arena) {
  const tensor::ArenaScope scope(arena);
  const std::int64_t n = c.head.queries.rows, m = c.head.keys.rows, width = c.carried.keys.cols;
  const SortedLine<T> line = ordered_line<T>(c.head.keys, slice, arena);
  const tensor::MatrixView<T> permutation = full_permutation<T>(line, c.beta, arena);
  const tensor::MatrixView<T> sorted = arena.matrix<T>(m, width);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), permutation, c.carried.keys,
                  T(0), sorted);
  tensor::MatrixView<T> coupled = sorted;
  if (n != m) {
    coupled = arena.matrix<T>(n, width);
    couple_ranks<T>(sorted, coupled);
  }
  const tensor::MatrixView<T> d_coupled = query_side<T>(c, slice, weight, coupled, arena);
  tensor::MatrixView<T> d_sorted = d_coupled;
  if (n != m) {
    d_sorted = sorted;
    couple_ranks_vjp<T>(d_coupled, d_sorted);
  }
  key_side<T>(c, line, slice, permutation, d_sorted, arena);
}

template <class T>
tensor::MatrixView<T> left_factor(const CarriedTokens<T>& carried,
                                  tensor::MatrixView<const T> output_gradient,
                                  tensor::Arena& arena) {
  const std::int64_t values = output_gradient.cols;
  const tensor::MatrixView<T> left =
      arena.matrix<T>(output_gradient.rows, values + carried.queries.cols);
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
                             tensor::MatrixView<const T> output,
                             tensor::MatrixView<const T> output_gradient,
                             const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  if (!gradients.accumulate)
    for (const tensor::MatrixView<T>& gradient :
         {gradients.queries, gradients.keys, gradients.values})
      clear(gradient);
  if (head.queries.rows == 0 || head.keys.rows == 0) return;
  const CarriedTokens<T> carried =
      carry_tokens<T>(head, pass.settings.weighs_slices(pass.slices.rows), scratch);
  double mean = 0;
  for (std::int64_t i = 0; i < output.rows; ++i)
    mean += static_cast<double>(tensor::dot<T>(output.row(i), output_gradient.row(i)));
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

#define ASAP_INSTANTIATE(T)                                                          \
  template void espformer_attention_vjp<T>(                                          \
      const AttentionHead<T>&, const EspformerPass<T>&, tensor::MatrixView<const T>, \
      tensor::MatrixView<const T>, const HeadGradients<T>&, tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
