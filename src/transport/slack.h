#pragma once

#include "tensor/core/view.h"

namespace asap::transport {

/// Slack: a row of its own below N rows of scores, with mass c N, so that the columns of the other
/// rows sum to at most (1 + c) N / M, and to less where they leave mass to it.
template <class T>
struct Slack {
  T capacity = T(0);  ///< c; 0: no slack row
  /// Scores of the slack row: [M]; empty: zeros. In other coordinates of the columns, as after
  /// centring, they are not zero.
  tensor::VectorView<const T> scores = {};

  bool exists() const { return capacity > T(0); }
};

/// h = log(c N) - log sum_j exp(scores_j + g_j), the row update of the slack row. column_dual: [M].
template <class T>
T slack_dual(const Slack<T>& slack, std::int64_t rows, tensor::VectorView<const T> column_dual);

/// Turns the column update without slack, log(N / M) - log sum_i exp(S_ij + f_i), into the one with
/// it: g_j = log((1 + c) N / M) - log(sum_i exp(S_ij + f_i) + exp(h + scores_j)), in place.
template <class T>
void add_slack_to_columns(const Slack<T>& slack, std::int64_t rows, T slack_dual,
                          tensor::VectorView<T> column_dual);

/// The same with that h which the columns then lead to, slack_dual(g) = h: columns and slack row
/// are updated together. Returns h. Nothing changes without slack, and 0 is returned.
template <class T>
T close_slack(const Slack<T>& slack, std::int64_t rows, tensor::VectorView<T> column_dual);

/// The s > 0 with sum_j 1 / (1 + s ratios_j) = M / (1 + c): what close_slack solves, with the
/// ratios e_j / sum_i K_ij u_i of the slack row's entries to the column sums. Newton's method on
/// the inverse of the left side, which is concave in s and nearly straight, converges from s = 0
/// without overshooting. Not finite where the ratios leave the range of T. ratios: [M], positive.
template <class T>
T slack_scaling(T capacity, tensor::VectorView<const T> ratios);

}  // namespace asap::transport
