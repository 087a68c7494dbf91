#include "attention/kinds/lotformer_attention.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "attention/kinds/attention_kinds.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

/// As far apart as queries and keys are at the start, so that each pivot is at once nearer to some
/// tokens.
constexpr double kPivotDeviation = 1;

template <class T>
AttentionHead<T> pivots_to_keys(const AttentionHead<T>& head) {
  return {head.learned, head.keys, head.values, head.scale};
}

template <class T>
AttentionHead<T> queries_to_pivots(const AttentionHead<T>& head,
                                   tensor::MatrixView<const T> pivot_values) {
  return {head.queries, head.learned, pivot_values, head.scale};
}

template <class T>
tensor::MatrixView<T> plan_of(const SinkhornState<T>& state, tensor::Arena& arena) {
  const tensor::MatrixView<T> plan = arena.matrix<T>(state.gibbs.rows, state.gibbs.cols);
  sinkhorn_plan<T>(state, plan);
  return plan;
}

/// mean_j |m/n sum_i (B C)_ij - 1| without the product.
template <class T>
T glued_column_error(const LotformerState<T>& state, tensor::Arena& scratch) {
  const std::int64_t n = state.to_pivots.gibbs.rows, m = state.from_pivots.gibbs.cols;
  if (n == 0 || m == 0) return T(0);
  const tensor::ArenaScope scope(scratch);
  const tensor::MatrixView<T> received = scratch.matrix<T>(1, state.to_pivots.gibbs.cols);
  const tensor::MatrixView<T> columns = scratch.matrix<T>(1, m);
  tensor::column_sums<T>(plan_of(state.to_pivots, scratch), received.row(0), false);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no,
                  static_cast<T>(m) / static_cast<T>(n), received,
                  plan_of(state.from_pivots, scratch), T(0), columns);
  T error = T(0);
  for (const T total : columns.row(0)) error += std::abs(total - T(1));
  return error / static_cast<T>(m);
}

template <class T>
tensor::MatrixView<T> zeros(tensor::MatrixView<const T> like, tensor::Arena& arena) {
  const tensor::MatrixView<T> out = arena.matrix<T>(like.rows, like.cols);
  std::fill_n(out.data, out.rows * out.cols, T(0));
  return out;
}

template <class T>
class TrainableLotformer final : public TrainableAttention<T> {
 public:
  using State = typename TrainableAttention<T>::State;

  TrainableLotformer(std::int64_t pivots, int iterations)
      : pivots_(pivots), iterations_(iterations) {}

  State forward(const AttentionHead<T>& head, tensor::MatrixView<T> output, tensor::Arena& arena,
                AttentionEvidence& evidence) const override {
    auto* state = new (arena.take<LotformerState<T>>(1))
        LotformerState<T>(lotformer_attention<T>(head, iterations_, output, arena));
    ++evidence.heads;
    evidence.column_error_sum += static_cast<double>(state->column_error);
    evidence.log_domain_heads +=
        state->to_pivots.log_domain || state->from_pivots.log_domain ? 1 : 0;
    evidence.underflows += state->to_pivots.underflows + state->from_pivots.underflows;
    return state;
  }

  void vjp(const AttentionHead<T>& head, State state, tensor::MatrixView<const T> output,
           tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           tensor::Arena& scratch) const override {
    LotformerState<T> own = *static_cast<const LotformerState<T>*>(state);
    lotformer_attention_vjp<T>(head, own, output, output_gradient, gradients, scratch);
  }

  void plan(const AttentionHead<T>& head, tensor::MatrixView<T> plan,
            tensor::Arena& scratch) const override {
    const tensor::ArenaScope scope(scratch);
    const tensor::MatrixView<T> output = scratch.matrix<T>(head.queries.rows, head.values.cols);
    const LotformerState<T> state = lotformer_attention<T>(head, iterations_, output, scratch);
    tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1),
                    plan_of(state.to_pivots, scratch), plan_of(state.from_pivots, scratch), T(0),
                    plan);
  }

  /// Scores of both plans are proportional to the scale.
  T log_scale_gradient(const AttentionHead<T>& head,
                       const HeadGradients<T>& gradients) const override {
    return this->row_products(head.queries, gradients.queries) +
           this->row_products(head.keys, gradients.keys);
  }

  LearnedShape learned_shape(std::int64_t head_width) const override {
    return {"pivots", pivots_, head_width, kPivotDeviation};
  }

 private:
  std::int64_t pivots_;
  int iterations_;
};

}  // namespace

template <class T>
LotformerState<T> lotformer_attention(const AttentionHead<T>& head, int iterations,
                                      tensor::MatrixView<T> output, tensor::Arena& arena) {
  base::check(head.learned.rows > 0 && head.learned.cols == head.queries.cols,
              "lotformer_attention: no pivots, or of another width");
  LotformerState<T> state;
  state.pivot_values = arena.matrix<T>(head.learned.rows, head.values.cols);
  state.from_pivots =
      sinkhorn_attention<T>(pivots_to_keys(head), iterations, state.pivot_values, arena);
  state.to_pivots = sinkhorn_attention<T>(queries_to_pivots<T>(head, state.pivot_values),
                                          iterations, output, arena);
  state.column_error = glued_column_error(state, arena);
  return state;
}

template <class T>
void lotformer_attention_vjp(const AttentionHead<T>& head, LotformerState<T>& state,
                             tensor::MatrixView<const T> output,
                             tensor::MatrixView<const T> output_gradient,
                             const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  // Gradients of pivots and pivot values begin at zero, so that one flag serves for all that is
  // written.
  const tensor::MatrixView<T> as_keys = zeros<T>(head.learned, scratch);
  const tensor::MatrixView<T> as_queries = zeros<T>(head.learned, scratch);
  const tensor::MatrixView<T> d_pivot_values = zeros<T>(state.pivot_values, scratch);
  sinkhorn_attention_vjp<T>(
      queries_to_pivots<T>(head, state.pivot_values), state.to_pivots, output, output_gradient,
      {gradients.queries, as_keys, d_pivot_values, gradients.accumulate}, scratch);
  sinkhorn_attention_vjp<T>(
      pivots_to_keys(head), state.from_pivots, state.pivot_values, d_pivot_values,
      {as_queries, gradients.keys, gradients.values, gradients.accumulate}, scratch);
  for (std::int64_t z = 0; z < head.learned.rows; ++z) {
    tensor::axpy<T>(T(1), as_keys.row(z), gradients.learned.row(z));
    tensor::axpy<T>(T(1), as_queries.row(z), gradients.learned.row(z));
  }
}

template <class T>
std::unique_ptr<TrainableAttention<T>> make_lotformer_attention(std::int64_t pivots,
                                                                int iterations) {
  base::check(pivots > 0 && iterations >= 0,
              "make_lotformer_attention: no pivots or negative iterations");
  return std::make_unique<TrainableLotformer<T>>(pivots, iterations);
}

#define ASAP_INSTANTIATE(T)                                                                 \
  template LotformerState<T> lotformer_attention<T>(const AttentionHead<T>&, int,           \
                                                    tensor::MatrixView<T>, tensor::Arena&); \
  template void lotformer_attention_vjp<T>(                                                 \
      const AttentionHead<T>&, LotformerState<T>&, tensor::MatrixView<const T>,             \
      tensor::MatrixView<const T>, const HeadGradients<T>&, tensor::Arena&);                \
  template std::unique_ptr<TrainableAttention<T>> make_lotformer_attention(std::int64_t, int);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
