#include "attention/kinds/differential_attention.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "attention/kinds/attention_kinds.h"
#include "attention/stored/softmax_attention.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

constexpr double kNormEpsilon = 1e-5;
constexpr double kLambdaDeviation = 0.1;

/// Columns of the first (0) or second (1) half.
template <class M>
M half_of(const M& matrix, int which) {
  const std::int64_t width = matrix.cols / 2;
  return matrix.block(0, which * width, matrix.rows, width);
}

/// The head of one of the two softmaxes.
template <class T>
AttentionHead<T> half_head(const AttentionHead<T>& head, int which) {
  return {half_of(head.queries, which), half_of(head.keys, which), head.values,
          head.scale * static_cast<T>(std::sqrt(2.0))};
}

/// exp(q_k . k_k) of the vectors that lambda is made of.
template <class T>
T lambda_part(const AttentionHead<T>& head, int which) {
  return std::exp(tensor::dot<T>(head.learned.row(2 * which), head.learned.row(2 * which + 1)));
}

template <class T>
T output_factor(const AttentionHead<T>& head) {
  return static_cast<T>(1 - differential_lambda_init(head.layer));
}

/// dy from the gradient of the normalised output, whose rows are factor * y / root_square.
template <class T>
void normalisation_vjp(tensor::MatrixView<const T> output,
                       tensor::MatrixView<const T> output_gradient, T factor,
                       tensor::VectorView<const T> inverse_root_square, tensor::MatrixView<T> dy) {
  for (std::int64_t i = 0; i < output.rows; ++i) {
    const T inverse = inverse_root_square[i];
    const T along = tensor::dot<T>(output.row(i), output_gradient.row(i)) /
                    (factor * static_cast<T>(output.cols));
    tensor::scale<T>(factor * inverse, output_gradient.row(i), dy.row(i));
    tensor::axpy<T>(-inverse * along, output.row(i), dy.row(i));
  }
}

/// Adds to the gradients of q1, k1, q2, k2.
template <class T>
void lambda_vjp(const AttentionHead<T>& head, T d_lambda, tensor::MatrixView<T> gradient) {
  for (int which = 0; which < 2; ++which) {
    const T factor = (which == 0 ? d_lambda : -d_lambda) * lambda_part(head, which);
    tensor::axpy<T>(factor, head.learned.row(2 * which + 1), gradient.row(2 * which));
    tensor::axpy<T>(factor, head.learned.row(2 * which), gradient.row(2 * which + 1));
  }
}

template <class T>
class TrainableDifferential final : public TrainableAttention<T> {
 public:
  using State = typename TrainableAttention<T>::State;

  State forward(const AttentionHead<T>& head, tensor::MatrixView<T> output, tensor::Arena& arena,
                AttentionEvidence& evidence) const override {
    ++evidence.heads;
    return new (arena.take<DifferentialState<T>>(1))
        DifferentialState<T>(differential_attention<T>(head, output, arena));
  }

  void vjp(const AttentionHead<T>& head, State state, tensor::MatrixView<const T> output,
           tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           tensor::Arena& scratch) const override {
    differential_attention_vjp<T>(head, *static_cast<const DifferentialState<T>*>(state), output,
                                  output_gradient, gradients, scratch);
  }

  /// A1 - lambda A2, before the normalisation: entries may be negative, rows sum to 1 - lambda.
  void plan(const AttentionHead<T>& head, tensor::MatrixView<T> plan,
            tensor::Arena& scratch) const override {
    const tensor::ArenaScope scope(scratch);
    const tensor::MatrixView<T> output = scratch.matrix<T>(head.queries.rows, head.values.cols);
    const DifferentialState<T> state = differential_attention<T>(head, output, scratch);
    for (std::int64_t i = 0; i < plan.rows; ++i)
      for (std::int64_t j = 0; j < plan.cols; ++j)
        plan(i, j) = state.first(i, j) - state.lambda * state.second(i, j);
  }

  LearnedShape learned_shape(std::int64_t head_width) const override {
    return {"lambda", 4, head_width / 2, kLambdaDeviation};
  }
};

}  // namespace

double differential_lambda_init(int layer) { return 0.8 - 0.6 * std::exp(-0.3 * layer); }

template <class T>
DifferentialState<T> differential_attention(const AttentionHead<T>& head,
                                            tensor::MatrixView<T> output, tensor::Arena& arena) {
  base::check(head.queries.cols % 2 == 0 && head.learned.rows == 4 &&
                  2 * head.learned.cols == head.queries.cols,
              "differential_attention: an odd head width, or lambda of another width");
  DifferentialState<T> state;
  state.second_output = arena.matrix<T>(output.rows, output.cols);
  state.inverse_root_square = arena.vector<T>(output.rows);
  state.lambda = lambda_part(head, 0) - lambda_part(head, 1) +
                 static_cast<T>(differential_lambda_init(head.layer));
  state.first = softmax_attention<T>(half_head(head, 0), output, arena);
  state.second = softmax_attention<T>(half_head(head, 1), state.second_output, arena);
  for (std::int64_t i = 0; i < output.rows; ++i) {
    tensor::axpy<T>(-state.lambda, state.second_output.row(i), output.row(i));
    const T mean_square =
        tensor::dot<T>(output.row(i), output.row(i)) / static_cast<T>(output.cols);
    state.inverse_root_square[i] = T(1) / std::sqrt(mean_square + static_cast<T>(kNormEpsilon));
    tensor::scale<T>(output_factor(head) * state.inverse_root_square[i], output.row(i),
                     output.row(i));
  }
  return state;
}

template <class T>
void differential_attention_vjp(const AttentionHead<T>& head, const DifferentialState<T>& state,
                                tensor::MatrixView<const T> output,
                                tensor::MatrixView<const T> output_gradient,
                                const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::MatrixView<T> dy = scratch.matrix<T>(output.rows, output.cols);
  normalisation_vjp<T>(output, output_gradient, output_factor(head), state.inverse_root_square, dy);
  softmax_attention_vjp<T>(half_head(head, 0), state.first, dy,
                           {half_of(gradients.queries, 0), half_of(gradients.keys, 0),
                            gradients.values, gradients.accumulate},
                           scratch);
  T d_lambda = T(0);
  for (std::int64_t i = 0; i < output.rows; ++i) {
    d_lambda -= tensor::dot<T>(dy.row(i), state.second_output.row(i));
    tensor::scale<T>(-state.lambda, dy.row(i), dy.row(i));
  }
  const HeadGradients<T> second{half_of(gradients.queries, 1), half_of(gradients.keys, 1),
                                gradients.values, true};
  if (!gradients.accumulate)  // values have the first part already; the second halves begin at zero
    for (const tensor::MatrixView<T>& fresh : {second.queries, second.keys})
      for (std::int64_t i = 0; i < fresh.rows; ++i) std::ranges::fill(fresh.row(i), T(0));
  softmax_attention_vjp<T>(half_head(head, 1), state.second, dy, second, scratch);
  lambda_vjp<T>(head, d_lambda, gradients.learned);
}

template <class T>
std::unique_ptr<TrainableAttention<T>> make_differential_attention() {
  return std::make_unique<TrainableDifferential<T>>();
}

#define ASAP_INSTANTIATE(T)                                                                       \
  template DifferentialState<T> differential_attention<T>(const AttentionHead<T>&,                \
                                                          tensor::MatrixView<T>, tensor::Arena&); \
  template void differential_attention_vjp<T>(                                                    \
      const AttentionHead<T>&, const DifferentialState<T>&, tensor::MatrixView<const T>,          \
      tensor::MatrixView<const T>, const HeadGradients<T>&, tensor::Arena&);                      \
  template std::unique_ptr<TrainableAttention<T>> make_differential_attention();
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
