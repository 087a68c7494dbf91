#pragma once

#include <memory>

#include "attention/head_gradients.h"
#include "tensor/arena.h"

namespace asap {

/// What the heads of one pass report: how far the plans were from doubly stochastic, and how often
/// the exp domain had to be left.
struct AttentionEvidence {
  std::int64_t heads = 0;             ///< heads of examples computed
  double column_error_sum = 0;        ///< over heads: mean_j |M/N sum_i A_ij - 1|
  std::int64_t log_domain_heads = 0;  ///< computed again in the log domain

  AttentionEvidence& operator+=(const AttentionEvidence& other) {
    heads += other.heads;
    column_error_sum += other.column_error_sum;
    log_domain_heads += other.log_domain_heads;
    return *this;
  }
};

/// One kind of trainable attention, head by head. Kinds are interchangeable: the network, the tape
/// and inference know only this interface. Stateless and safe to share between threads.
template <class T>
class AttentionKernel {
 public:
  /// What forward() keeps for vjp(): a pointer into the arena that only the kind itself
  /// understands.
  using State = const void*;

  virtual ~AttentionKernel() = default;

  /// output: [n, Dv]. The state lives in `arena`.
  virtual State forward(const AttentionHead<T>& head, MatrixView<T> output, Arena& arena,
                        AttentionEvidence& evidence) const = 0;

  /// The output alone, for inference: nothing is kept, `scratch` is rewound.
  virtual void infer(const AttentionHead<T>& head, MatrixView<T> output, Arena& scratch) const {
    const ArenaScope scope(scratch);
    AttentionEvidence evidence;
    forward(head, output, scratch, evidence);
  }

  /// Gradients of queries, keys and values. May be called once per forward(): it reuses what the
  /// state points to.
  virtual void vjp(const AttentionHead<T>& head, State state, MatrixView<const T> output,
                   MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
                   Arena& scratch) const = 0;

  /// Writes the attention plan of the head: [n, m].
  virtual void plan(const AttentionHead<T>& head, MatrixView<T> plan, Arena& scratch) const = 0;
};

template <class T>
std::unique_ptr<AttentionKernel<T>> make_softmax_kernel();

/// `implicit_gradient`: see sinkhorn_attention_implicit_vjp. iterations >= 0.
template <class T>
std::unique_ptr<AttentionKernel<T>> make_sinkhorn_kernel(int iterations,
                                                         bool implicit_gradient = false);

}  // namespace asap
