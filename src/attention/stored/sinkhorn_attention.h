#pragma once

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// How long the Gibbs kernel of a head lives, where a forward pass is followed by a backward pass.
enum class GibbsLifetime {
  kept,      ///< from the forward to the backward pass: N M values for each head
  released,  ///< computed again by the backward pass: N M values, but for one head at a time
  blocks,    ///< computed again by every pass, block of rows by block of rows: O(N (D + T)) values
};

/// The lifetime that measures best for a Gibbs kernel of n x m values of `value_bytes`: kept while
/// it stays in the caches, released while it takes at most 64 MiB.
GibbsLifetime best_lifetime(std::int64_t n, std::int64_t m, std::int64_t value_bytes);

/// What one Sinkhorn attention head keeps for its backward pass. Lives in the arena of the forward
/// pass.
///
/// Exp domain: K = exp(S + r + c) with the shifts of scaling_kernels.h; rows of `row_factors` 0..T
/// are the scalings u^0..u^T, rows T..2T of `column_factors` are v^0..v^T, so that A = u^T_i K_ij
/// v^T_j. The rows left free are filled by the backward pass, whose one product needs the two
/// stacks as they then lie. Log domain: `gibbs` holds S, the factors hold log-domain duals f^t and
/// g^t, and `slack_scalings` those of the slack row instead.
template <class T>
struct SinkhornState {
  int iterations = 0;       // T
  bool log_domain = false;  // the exp domain would have lost plan entries to underflow
  GibbsLifetime lifetime = GibbsLifetime::kept;
  tensor::MatrixView<T> gibbs;           // K: [n, m], rows padded; without data unless kept
  tensor::VectorView<T> row_shift;       // r: [n]
  tensor::VectorView<T> column_shift;    // c: [padded m]
  tensor::MatrixView<T> row_factors;     // [2T + 1, n]
  tensor::MatrixView<T> column_factors;  // [2T + 1, m], rows padded
  T slack = T(0);                        // c; 0: columns sum to N/M
  tensor::VectorView<T> slack_entries;   // of the slack row of K, at most 1: [padded m]
  tensor::VectorView<T> slack_scalings;  // s^0..s^{T-1} of the slack row: [T]
  T column_error = T(0);        // mean_j |M/N sum_i A_ij - 1|; with slack, see sinkhorn_attention
  std::int64_t underflows = 0;  // rows or columns whose sum was zero when the exp domain was left

  tensor::VectorView<T> u(int t) const { return row_factors.row(t); }
  /// Padded to the row stride of the Gibbs kernel.
  tensor::VectorView<T> v(int t) const {
    return {column_factors.row(iterations + t).data(),
            static_cast<std::size_t>(column_factors.stride)};
  }
};

/// Doubly stochastic attention of one head (Sinkformers, Sander et al. 2022): A = exp(S + f + g)
/// after one row update from g = 0 and `iterations` times (column, row) update: rows sum to 1,
/// columns approach n/m. T = 0 is softmax attention. output = A V: [n, Dv], zero when there is no
/// key.
///
/// With slack c = head.slack > 0 columns sum to at most (1 + c) n/m: a row of zero scores and mass
/// c n below S takes what the others leave of the columns' (1 + c) n/m, and is then forgotten:
///   s^t = c n / sum_j v^t_j,  v^{t+1}_j = (1 + c) (n/m) / (sum_i K_ij u^t_i + s^t),
/// here for a K without shifts, with the scaling s of that row. c = 0 is Sinkhorn, c -> infinity
/// softmax attention. Its column error is what columns receive too much, mean_j max(0, m/n sum_i
/// A_ij / (1 + c) - 1).
///
/// Computed in the exp domain; when scalings grow so far apart that the Gibbs kernel could have
/// lost entries that matter, the head is computed again in the log domain, which takes N M values
/// at any lifetime.
template <class T>
SinkhornState<T> sinkhorn_attention(const AttentionHead<T>& head, int iterations,
                                    tensor::MatrixView<T> output, tensor::Arena& arena,
                                    GibbsLifetime lifetime = GibbsLifetime::kept);

/// Where a loop may end before its last iteration, and whether it did.
template <class T>
struct SinkhornCut {
  int iterations = 1;  ///< end after these
  T limit = T(0);      ///< if `error` is at most this
  /// The column error of the plan one iteration earlier; that behind the output has no larger one.
  T error = T(0);
  bool stopped = false;
};

/// sinkhorn_attention for inference, perhaps cut. Writes `error` and `stopped`; needs
/// 1 <= cut.iterations <= iterations. Where the exp domain loses too much, `error` costs a loop of
/// its own. Returns whether that happened.
template <class T>
bool cut_sinkhorn_attention(const AttentionHead<T>& head, int iterations, SinkhornCut<T>& cut,
                            tensor::MatrixView<T> output, tensor::Arena& scratch);

/// Writes the plan of the last iteration, from a Gibbs kernel that was kept. plan: [n, m].
template <class T>
void sinkhorn_plan(const SinkhornState<T>& state, tensor::MatrixView<T> plan);

/// Vector-Jacobian product of sinkhorn_attention, exact: the adjoint recursion of all T iterations
/// as they were run, with no n x m storage per iteration, since the score gradient is K ∘ (X Yᵀ)
/// with X and Y stacks of scaling vectors. Uses up `state`. A head that ran in the log domain is
/// differentiated there. With slack, d/d log c is added to gradients.learned [1, 1] where that is
/// wanted.
template <class T>
void sinkhorn_attention_vjp(const AttentionHead<T>& head, SinkhornState<T>& state,
                            tensor::MatrixView<const T> output,
                            tensor::MatrixView<const T> output_gradient,
                            const HeadGradients<T>& gradients, tensor::Arena& scratch);

/// The gradient of the fixed point the iterations approach: right for a converged plan, an
/// approximation for a plan that is not. A head that ran in the log domain, and one so far from the
/// fixed point that its equations cannot be solved by iteration, gets the exact gradient. Not for
/// heads with slack (InternalError).
template <class T>
void sinkhorn_attention_implicit_vjp(const AttentionHead<T>& head, SinkhornState<T>& state,
                                     tensor::MatrixView<const T> output,
                                     tensor::MatrixView<const T> output_gradient,
                                     const HeadGradients<T>& gradients, tensor::Arena& scratch);

}  // namespace asap::attention
