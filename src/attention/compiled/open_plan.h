#pragma once

#include "tensor/core/arena.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"

namespace asap::attention {

/// A plan before its last row update: its scores, and the duals of the updates so far.
template <class T>
struct OpenPlan {
  tensor::MatrixView<T> scores;
  tensor::VectorView<T> row, column;

  OpenPlan(std::int64_t n, std::int64_t m, tensor::Arena& arena)
      : scores(arena.matrix<T>(n, m)), row(arena.vector<T>(n)), column(arena.vector<T>(m)) {}

  void update_column() const { transport::column_c_transform<T>(scores, row, column); }
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
