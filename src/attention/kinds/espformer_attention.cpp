#include "attention/kinds/espformer_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/kinds/attention_kinds.h"
#include "attention/kinds/soft_sort.h"
#include "base/error.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

/// Rows of a soft permutation computed at a time: they stay in cache.
constexpr std::int64_t kBlock = 64;

/// out = Q packed: keys in soft order. packed, out: [m, W].
template <class T>
void sort_softly(const SortedLine<T>& line, T beta, tensor::MatrixView<const T> packed,
                 tensor::MatrixView<T> out, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::MatrixView<T> room = scratch.matrix<T>(kBlock, packed.rows);
  const tensor::VectorView<T> inverse_sums = scratch.vector<T>(kBlock);
  for (std::int64_t first = 0; first < packed.rows; first += kBlock) {
    const std::int64_t rows = std::min(kBlock, packed.rows - first);
    const tensor::MatrixView<T> block = room.block(0, 0, rows, packed.rows);
    const tensor::MatrixView<T> part = out.block(first, 0, rows, out.cols);
    soft_permutation<T>(line, beta, first, block, inverse_sums);
    tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), block, packed, T(0), part);
    tensor::scale_rows<T>(part, inverse_sums.first(static_cast<std::size_t>(rows)), part);
  }
}

/// sum over rows r of |q|²_r + |k|²_r - 2 q_r . k_r, all of them carried through soft permutations.
/// queries: [rows, D + 1]; keys: [rows, Dv + D + 1].
template <class T>
double transport_cost(tensor::MatrixView<const T> queries, tensor::MatrixView<const T> keys) {
  const std::int64_t width = queries.cols - 1, column = keys.cols - queries.cols;
  double cost = 0;
  for (std::int64_t r = 0; r < queries.rows; ++r) {
    const auto count = static_cast<std::size_t>(width);
    const T product = tensor::dot<T>(queries.row(r).first(count),
                                     keys.row(r).subspan(static_cast<std::size_t>(column), count));
    cost += queries(r, width) + keys(r, column + width) - 2 * product;
  }
  return cost;
}

/// output = Γ V of one slice. Returns its cost D in units of scale, 0 without costs.
template <class T>
double slice_attention(const AttentionHead<T>& head, const CarriedTokens<T>& carried,
                       tensor::MatrixView<const T> slice, T beta, tensor::MatrixView<T> output,
                       tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t n = head.queries.rows, m = head.keys.rows, width = carried.keys.cols;
  const SortedLine<T> s = sorted_line<T>(head.queries, slice, scratch);
  const SortedLine<T> t = sorted_line<T>(head.keys, slice, scratch);
  tensor::MatrixView<T> sorted = scratch.matrix<T>(m, width);
  sort_softly<T>(t, beta, carried.keys, sorted, scratch);
  if (n != m) {
    const tensor::MatrixView<T> coupled = scratch.matrix<T>(n, width);
    couple_ranks<T>(sorted, coupled);
    sorted = coupled;
  }
  const tensor::MatrixView<T> room = scratch.matrix<T>(kBlock, n);
  const tensor::MatrixView<T> sorted_queries = scratch.matrix<T>(kBlock, head.queries.cols + 1);
  const tensor::VectorView<T> inverse_sums = scratch.vector<T>(kBlock);
  double cost = 0;
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t rows = std::min(kBlock, n - first);
    const tensor::MatrixView<T> block = room.block(0, 0, rows, n);
    const tensor::MatrixView<T> keys = sorted.block(first, 0, rows, width);
    const tensor::VectorView<T> inverse = inverse_sums.first(static_cast<std::size_t>(rows));
    soft_permutation<T>(s, beta, first, block, inverse);
    if (carried.with_costs()) {
      const tensor::MatrixView<T> queries = sorted_queries.block(0, 0, rows, sorted_queries.cols);
      tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), block, carried.queries,
                      T(0), queries);
      tensor::scale_rows<T>(queries, inverse, queries);
      cost += transport_cost<T>(queries, keys);
    }
    const tensor::MatrixView<T> values = keys.block(0, 0, rows, output.cols);
    tensor::scale_rows<T>(values, inverse, values);
    tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(1), block, values,
                    first == 0 ? T(0) : T(1), output);
  }
  return cost / static_cast<double>(n);
}

/// The kind of attention that can be trained: slices are coordinates.
template <class T>
class TrainableEspformer final : public TrainableAttention<T> {
 public:
  using State = typename TrainableAttention<T>::State;

  TrainableEspformer(std::int64_t slices, const EspformerSettings& settings)
      : slices_(slices), settings_(settings) {}

  State forward(const AttentionHead<T>& head, tensor::MatrixView<T> output, tensor::Arena& arena,
                AttentionEvidence& evidence) const override {
    ++evidence.heads;
    const tensor::MatrixView<T> slices = coordinates(head.queries.cols, arena);
    return espformer_attention<T>(head, slices, settings_, output, arena).data();
  }

  void vjp(const AttentionHead<T>& head, State state, tensor::MatrixView<const T> output,
           tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           tensor::Arena& scratch) const override {
    const tensor::ArenaScope scope(scratch);
    const tensor::MatrixView<T> slices = coordinates(head.queries.cols, scratch);
    const tensor::VectorView<const double> weights(static_cast<const double*>(state),
                                                   static_cast<std::size_t>(slices.rows));
    espformer_attention_vjp<T>(head, {slices, settings_, weights}, output, output_gradient,
                               gradients, scratch);
  }

  void plan(const AttentionHead<T>& head, tensor::MatrixView<T> plan,
            tensor::Arena& scratch) const override {
    const tensor::ArenaScope scope(scratch);
    const std::int64_t m = head.keys.rows;
    const tensor::MatrixView<T> identity = scratch.matrix<T>(m, m);
    for (std::int64_t j = 0; j < m; ++j) {
      std::ranges::fill(identity.row(j), T(0));
      identity(j, j) = T(1);
    }
    AttentionHead<T> unit = head;
    unit.values = identity;
    espformer_attention<T>(unit, coordinates(head.queries.cols, scratch), settings_, plan, scratch);
  }

  /// The plan depends on √scale Q and √scale K.
  T log_scale_gradient(const AttentionHead<T>& head,
                       const HeadGradients<T>& gradients) const override {
    return (this->row_products(head.queries, gradients.queries) +
            this->row_products(head.keys, gradients.keys)) /
           2;
  }

 private:
  tensor::MatrixView<T> coordinates(std::int64_t width, tensor::Arena& arena) const {
    const tensor::MatrixView<T> slices = arena.matrix<T>(slices_ == 0 ? width : slices_, width);
    for (std::int64_t l = 0; l < slices.rows; ++l) {
      std::ranges::fill(slices.row(l), T(0));
      slices(l, l) = T(1);
    }
    return slices;
  }

  std::int64_t slices_;
  EspformerSettings settings_;
};

}  // namespace

template <class T>
tensor::VectorView<const double> espformer_attention(const AttentionHead<T>& head,
                                                     tensor::MatrixView<const T> slices,
                                                     const EspformerSettings& settings,
                                                     tensor::MatrixView<T> output,
                                                     tensor::Arena& arena) {
  base::check(slices.rows > 0 && slices.cols == head.queries.cols,
              "espformer_attention: no slices, or of another width");
  const tensor::VectorView<double> weights = arena.vector<double>(slices.rows);
  const tensor::ArenaScope scope(arena);
  std::ranges::fill(weights, 0.0);
  for (std::int64_t i = 0; i < output.rows; ++i) std::ranges::fill(output.row(i), T(0));
  if (head.queries.rows == 0 || head.keys.rows == 0) return weights;
  const CarriedTokens<T> carried =
      carry_tokens<T>(head, settings.weighs_slices(slices.rows), arena);
  const tensor::MatrixView<T> slice_output = arena.matrix<T>(output.rows, output.cols);
  const T beta = static_cast<T>(settings.sort_inverse_temperature) * head.scale;
  const double alpha = settings.slice_inverse_temperature * static_cast<double>(head.scale);
  // Softmax over slices whose costs become known one by one: `output` is kept relative to the least
  // so far.
  double least = std::numeric_limits<double>::infinity(), total = 0;
  for (std::int64_t l = 0; l < slices.rows; ++l) {
    const double cost = slice_attention<T>(head, carried, slices.block(l, 0, 1, slices.cols), beta,
                                           slice_output, arena);
    const double previous = least;
    least = std::min(least, cost);
    const double kept = l == 0 ? 0 : std::exp(alpha * (least - previous));
    weights[l] = std::exp(alpha * (least - cost));
    total = total * kept + weights[l];
    for (std::int64_t k = 0; k < l; ++k) weights[k] *= kept;
    for (std::int64_t i = 0; i < output.rows; ++i) {
      tensor::scale<T>(static_cast<T>(kept), output.row(i), output.row(i));
      tensor::axpy<T>(static_cast<T>(weights[l]), slice_output.row(i), output.row(i));
    }
  }
  for (std::int64_t i = 0; i < output.rows; ++i)
    tensor::scale<T>(static_cast<T>(1 / total), output.row(i), output.row(i));
  for (double& weight : weights) weight /= total;
  return weights;
}

template <class T>
std::unique_ptr<TrainableAttention<T>> make_espformer_attention(std::int64_t slices,
                                                                const EspformerSettings& settings) {
  base::check(slices >= 0, "make_espformer_attention: negative number of slices");
  return std::make_unique<TrainableEspformer<T>>(slices, settings);
}

#define ASAP_INSTANTIATE(T)                                                           \
  template tensor::VectorView<const double> espformer_attention<T>(                   \
      const AttentionHead<T>&, tensor::MatrixView<const T>, const EspformerSettings&, \
      tensor::MatrixView<T>, tensor::Arena&);                                         \
  template std::unique_ptr<TrainableAttention<T>> make_espformer_attention(           \
      std::int64_t, const EspformerSettings&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
