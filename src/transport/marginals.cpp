#include "transport/marginals.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/kernels/elementwise.h"

namespace asap::transport {

template <class T>
MarginalErrors marginal_errors(tensor::MatrixView<const T> plan) {
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
double column_error(tensor::MatrixView<const T> plan, double slack) {
  if (!(slack > 0)) return marginal_errors(plan).column_mean;
  std::vector<double> column_sums(static_cast<std::size_t>(plan.cols), 0.0);
  for (std::int64_t i = 0; i < plan.rows; ++i)
    for (std::int64_t j = 0; j < plan.cols; ++j) column_sums[j] += plan(i, j);
  const double most = (1 + slack) * static_cast<double>(plan.rows) / static_cast<double>(plan.cols);
  double total = 0;
  for (const double sum : column_sums) total += std::max(0.0, sum / most - 1);
  return total / static_cast<double>(plan.cols);
}

template <class T>
void plan_from_duals(tensor::MatrixView<const T> scores, tensor::VectorView<const T> row_dual,
                     tensor::VectorView<const T> column_dual, tensor::MatrixView<T> plan) {
  base::check(scores.rows == plan.rows && scores.cols == plan.cols &&
                  std::ssize(row_dual) == scores.rows && std::ssize(column_dual) == scores.cols,
              "plan_from_duals: shapes do not fit");
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    const tensor::VectorView<const T> row = scores.row(i);
    const tensor::VectorView<T> out = plan.row(i);
    for (std::size_t j = 0; j < out.size(); ++j) out[j] = row[j] + row_dual[i] + column_dual[j];
    tensor::exponential<T>(out, out);
  }
}

template MarginalErrors marginal_errors<float>(tensor::MatrixView<const float>);
template MarginalErrors marginal_errors<double>(tensor::MatrixView<const double>);
template double column_error<float>(tensor::MatrixView<const float>, double);
template double column_error<double>(tensor::MatrixView<const double>, double);
template void plan_from_duals<float>(tensor::MatrixView<const float>,
                                     tensor::VectorView<const float>,
                                     tensor::VectorView<const float>, tensor::MatrixView<float>);
template void plan_from_duals<double>(tensor::MatrixView<const double>,
                                      tensor::VectorView<const double>,
                                      tensor::VectorView<const double>, tensor::MatrixView<double>);

}  // namespace asap::transport
