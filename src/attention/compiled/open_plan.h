#pragma once

#include "attention/compiled/compiled_features.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"
#include "transport/slack.h"

namespace asap::attention {

/// The slack row of a head in centred coordinates. Centring takes y_j . √score_scale q̄ from the
/// scores of column j, and so from the slack row's zeros, too. Lives in `arena`.
template <class T>
transport::Slack<T> centred_slack(const CentredHead<T>& head, tensor::Arena& arena) {
  if (!(head.slack > T(0))) return {};
  const tensor::VectorView<T> scores = arena.vector<T>(head.y.rows);
  for (std::int64_t j = 0; j < head.y.rows; ++j)
    scores[j] = -tensor::dot<T>(head.y.row(j), head.query_mean);
  return {head.slack, scores};
}

/// The column update of a compiled head: a c-transform, with slack the one that the slack row then
/// agrees with (transport::close_slack). The teacher's own updates of the slack row, one behind the
/// columns, approach that; here there is none before to start from.
template <class T>
void column_update(tensor::MatrixView<const T> scores, const transport::Slack<T>& slack,
                   tensor::VectorView<const T> row_dual, tensor::VectorView<T> column_dual) {
  transport::column_c_transform<T>(scores, row_dual, column_dual);
  transport::close_slack<T>(slack, scores.rows, column_dual);
}

/// A plan before its last row update: its scores, and the duals of the updates so far.
template <class T>
struct OpenPlan {
  tensor::MatrixView<T> scores;
  tensor::VectorView<T> row, column;
  transport::Slack<T> slack{};

  OpenPlan(std::int64_t n, std::int64_t m, tensor::Arena& arena)
      : scores(arena.matrix<T>(n, m)), row(arena.vector<T>(n)), column(arena.vector<T>(m)) {}

  void update_column() const { column_update<T>(scores, slack, row, column); }
  void update_row() const { transport::row_c_transform<T>(scores, column, row); }
  void iterate() const {
    update_row();
    update_column();
  }

  /// The last row update as a softmax: however coarsely large scores are rounded, rows sum to 1.
  /// Then the product with the values. Returns the column error.
  double close(tensor::MatrixView<const T> values, tensor::MatrixView<T> output) const {
    const tensor::MatrixView<T> plan = scores;
    for (std::int64_t i = 0; i < plan.rows; ++i) tensor::add<T>(plan.row(i), column, plan.row(i));
    tensor::softmax_rows<T>(plan, plan);
    tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), plan, values, T(0), output);
    return transport::marginal_errors<T>(plan).column_mean;
  }
};

}  // namespace asap::attention
