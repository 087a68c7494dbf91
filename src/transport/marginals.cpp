#include "transport/marginals.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/kernels/elementwise.h"

namespace asap {

template <class T>
MarginalErrors marginal_errors(MatrixView<const T> plan) {
  MarginalErrors errors;
  std::vector<double> column_sums(static_cast<std::size_t>(plan.cols), 0.0);
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    double row_sum = 0;
    for (std::int64_t j = 0; j < plan.cols; ++j) {
      row_sum += plan(i, j);
      column_sums[j] += plan(i, j);
    }
    errors.row_mean += std::abs(row_sum - 1) / static_cast<double>(plan.rows);
    errors.row_max = std::max(errors.row_max, std::abs(row_sum - 1));
  }
  const double relative = static_cast<double>(plan.cols) / static_cast<double>(plan.rows);
  for (const double sum : column_sums) {
    const double error = std::abs(sum * relative - 1);
    errors.column_mean += error / static_cast<double>(plan.cols);
    errors.column_max = std::max(errors.column_max, error);
  }
  return errors;
}

template <class T>
void plan_from_duals(MatrixView<const T> scores, VectorView<const T> row_dual,
                     VectorView<const T> column_dual, MatrixView<T> plan) {
  check(scores.rows == plan.rows && scores.cols == plan.cols &&
            std::ssize(row_dual) == scores.rows && std::ssize(column_dual) == scores.cols,
        "plan_from_duals: shapes do not fit");
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    const VectorView<const T> row = scores.row(i);
    const VectorView<T> out = plan.row(i);
    for (std::size_t j = 0; j < out.size(); ++j) out[j] = row[j] + row_dual[i] + column_dual[j];
    exponential<T>(out, out);
  }
}

template MarginalErrors marginal_errors<float>(MatrixView<const float>);
template MarginalErrors marginal_errors<double>(MatrixView<const double>);
template void plan_from_duals<float>(MatrixView<const float>, VectorView<const float>,
                                     VectorView<const float>, MatrixView<float>);
template void plan_from_duals<double>(MatrixView<const double>, VectorView<const double>,
                                      VectorView<const double>, MatrixView<double>);

}  // namespace asap
