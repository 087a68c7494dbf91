#pragma once

#include <memory>

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// What the heads of one pass report: how far the plans were from doubly stochastic, how often the
/// exp domain had to be left, and how much had underflowed there.
struct AttentionEvidence {
  std::int64_t heads = 0;  ///< heads of examples computed
  /// Over heads: mean_j |M/N sum_i A_ij - 1|; with slack c, mean_j max(0, M/N sum_i A_ij / (1 + c)
  /// - 1).
  double column_error_sum = 0;
  std::int64_t log_domain_heads = 0;  ///< computed again in the log domain
  std::int64_t underflows = 0;        ///< rows and columns of those whose sums were zero before

  AttentionEvidence& operator+=(const AttentionEvidence& other) {
    heads += other.heads;
    column_error_sum += other.column_error_sum;
    log_domain_heads += other.log_domain_heads;
    underflows += other.underflows;
    return *this;
  }
};

/// What a kind of attention learns besides the projections around it: a matrix [rows, cols] for
/// every head.
struct LearnedShape {
  const char* name = "";  ///< of the parameter [H, rows, cols]
  std::int64_t rows = 0;  ///< 0: nothing is learned
  std::int64_t cols = 0;
  double deviation = 0;  ///< of the normal distribution its values start from
  double start = 0;      ///< without deviation: the value all of them start from
};

/// One kind of trainable attention, head by head. Kinds are interchangeable: the network, the tape
/// and inference know only this interface. Stateless and safe to share between threads.
template <class T>
class TrainableAttention {
 public:
  /// What forward() keeps for vjp(): a pointer into the arena that only the kind itself
  /// understands.
  using State = const void*;

  virtual ~TrainableAttention() = default;

  /// output: [n, Dv]. The state lives in `arena`.
  virtual State forward(const AttentionHead<T>& head, tensor::MatrixView<T> output,
                        tensor::Arena& arena, AttentionEvidence& evidence) const = 0;

  /// The output alone, for inference: nothing is kept, `scratch` is rewound.
  virtual void infer(const AttentionHead<T>& head, tensor::MatrixView<T> output,
                     tensor::Arena& scratch) const {
    const tensor::ArenaScope scope(scratch);
    AttentionEvidence evidence;
    forward(head, output, scratch, evidence);
  }

  /// Gradients of queries, keys, values and of what is learned besides. May be called once per
  /// forward(): it reuses what the state points to.
  virtual void vjp(const AttentionHead<T>& head, State state, tensor::MatrixView<const T> output,
                   tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
                   tensor::Arena& scratch) const = 0;

  /// Writes the attention plan of the head: [n, m].
  virtual void plan(const AttentionHead<T>& head, tensor::MatrixView<T> plan,
                    tensor::Arena& scratch) const = 0;

  /// Derivative of the loss with respect to log(head.scale), from gradients that vjp() has set.
  /// Where the plan depends on scale * Q Kᵀ alone, that is sum_i q_i . dq_i.
  virtual T log_scale_gradient(const AttentionHead<T>& head,
                               const HeadGradients<T>& gradients) const {
    return row_products(head.queries, gradients.queries);
  }

  virtual LearnedShape learned_shape(std::int64_t /*head_width*/) const { return {}; }

 protected:
  /// sum_i a_i . b_i over the rows of matrices of one shape.
  static T row_products(tensor::MatrixView<const T> a, tensor::MatrixView<const T> b);
};

}  // namespace asap::attention
