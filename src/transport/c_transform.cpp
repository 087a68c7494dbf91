#include "transport/c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/kernels/elementwise.h"

namespace asap::transport {
namespace {

/// out = exp(scores + dual - shift), one row
template <class T>
void shifted_exponential(tensor::VectorView<const T> scores, tensor::VectorView<const T> dual,
                         T shift, tensor::VectorView<T> out) {
  for (std::size_t j = 0; j < out.size(); ++j) out[j] = scores[j] + dual[j] - shift;
  tensor::exponential<T>(out, out);
}

}  // namespace

template <class T>
void column_c_transform(tensor::MatrixView<const T> scores, tensor::VectorView<const T> row_dual,
                        tensor::VectorView<T> column_dual) {
  base::check(std::ssize(row_dual) == scores.rows && std::ssize(column_dual) == scores.cols,
              "column_c_transform: shapes do not fit");
  // Largest exponent of each column, with its sign turned: what is added before exp.
  std::vector<T> shift(column_dual.size(), std::numeric_limits<T>::infinity());
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    const tensor::VectorView<const T> row = scores.row(i);
    for (std::size_t j = 0; j < row.size(); ++j)
      shift[j] = std::min(shift[j], -(row[j] + row_dual[i]));
  }
  std::vector<T> exponentials(column_dual.size());
  std::fill(column_dual.begin(), column_dual.end(), T(0));
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    shifted_exponential<T>(scores.row(i), shift, -row_dual[i], exponentials);
    tensor::add<T>(column_dual, exponentials, column_dual);
  }
  const T log_mass = std::log(static_cast<T>(scores.rows) / static_cast<T>(scores.cols));
  for (std::int64_t j = 0; j < scores.cols; ++j)
    column_dual[j] = log_mass + shift[j] - std::log(column_dual[j]);
}

template <class T>
void row_c_transform(tensor::MatrixView<const T> scores, tensor::VectorView<const T> column_dual,
                     tensor::VectorView<T> row_dual) {
  base::check(std::ssize(row_dual) == scores.rows && std::ssize(column_dual) == scores.cols,
              "row_c_transform: shapes do not fit");
  std::vector<T> exponents(column_dual.size());
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    tensor::add<T>(scores.row(i), column_dual, exponents);
    const T largest = tensor::maximum<T>(exponents);
    for (T& exponent : exponents) exponent -= largest;
    tensor::exponential<T>(exponents, exponents);
    row_dual[i] = -largest - std::log(tensor::sum<T>(exponents));
  }
}

template void column_c_transform<float>(tensor::MatrixView<const float>,
                                        tensor::VectorView<const float>, tensor::VectorView<float>);
template void column_c_transform<double>(tensor::MatrixView<const double>,
                                         tensor::VectorView<const double>,
                                         tensor::VectorView<double>);
template void row_c_transform<float>(tensor::MatrixView<const float>,
                                     tensor::VectorView<const float>, tensor::VectorView<float>);
template void row_c_transform<double>(tensor::MatrixView<const double>,
                                      tensor::VectorView<const double>, tensor::VectorView<double>);

}  // namespace asap::transport
