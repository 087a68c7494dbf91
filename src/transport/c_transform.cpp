#include "transport/c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace asap {

template <class T>
void column_c_transform(MatrixView<const T> scores, VectorView<const T> row_dual,
                        VectorView<T> column_dual) {
  check(std::ssize(row_dual) == scores.rows && std::ssize(column_dual) == scores.cols,
        "column_c_transform: shapes do not fit");
  std::vector<T> largest(column_dual.size(), -std::numeric_limits<T>::infinity());
  for (std::int64_t i = 0; i < scores.rows; ++i)
    for (std::int64_t j = 0; j < scores.cols; ++j)
      largest[j] = std::max(largest[j], scores(i, j) + row_dual[i]);
  std::fill(column_dual.begin(), column_dual.end(), T(0));
  for (std::int64_t i = 0; i < scores.rows; ++i)
    for (std::int64_t j = 0; j < scores.cols; ++j)
      column_dual[j] += std::exp(scores(i, j) + row_dual[i] - largest[j]);
  const T log_mass = std::log(static_cast<T>(scores.rows) / static_cast<T>(scores.cols));
  for (std::int64_t j = 0; j < scores.cols; ++j)
    column_dual[j] = log_mass - largest[j] - std::log(column_dual[j]);
}

template <class T>
void row_c_transform(MatrixView<const T> scores, VectorView<const T> column_dual,
                     VectorView<T> row_dual) {
  check(std::ssize(row_dual) == scores.rows && std::ssize(column_dual) == scores.cols,
        "row_c_transform: shapes do not fit");
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    T largest = -std::numeric_limits<T>::infinity();
    for (std::int64_t j = 0; j < scores.cols; ++j)
      largest = std::max(largest, scores(i, j) + column_dual[j]);
    T sum = 0;
    for (std::int64_t j = 0; j < scores.cols; ++j)
      sum += std::exp(scores(i, j) + column_dual[j] - largest);
    row_dual[i] = -largest - std::log(sum);
  }
}

template void column_c_transform<float>(MatrixView<const float>, VectorView<const float>,
                                        VectorView<float>);
template void column_c_transform<double>(MatrixView<const double>, VectorView<const double>,
                                         VectorView<double>);
template void row_c_transform<float>(MatrixView<const float>, VectorView<const float>,
                                     VectorView<float>);
template void row_c_transform<double>(MatrixView<const double>, VectorView<const double>,
                                      VectorView<double>);

}  // namespace asap
