#include "transport/slices.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "numerics/dense_solvers.h"
#include "tensor/kernels/gemm.h"

namespace asap::transport {
namespace {

// Variances below these fractions of the largest are rounding error of the covariance, not
// directions.
constexpr double kSmallestVariance = 1e-6;
constexpr double kSmallestProduct = 1e-12;

/// U diag(values^power) Uᵀ
tensor::Tensor<double> symmetric_power(const numerics::SymmetricEigen& eigen, double power) {
  const auto width = static_cast<std::int64_t>(eigen.values.size());
  tensor::Tensor<double> scaled = eigen.vectors, out({width, width});
  for (std::int64_t i = 0; i < width; ++i)
    for (std::int64_t k = 0; k < width; ++k)
      scaled.rows()(i, k) *= std::pow(eigen.values[k], power);
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 1.0, scaled.rows(),
                       eigen.vectors.rows(), 0.0, out.rows());
  return out;
}

tensor::Tensor<double> product(const tensor::Tensor<double>& a,
                               tensor::MatrixView<const double> b) {
  tensor::Tensor<double> out({a.shape()[0], b.cols});
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::no, 1.0, a.rows(), b, 0.0,
                       out.rows());
  return out;
}

/// Lifts values below `fraction` of the largest; all zero becomes all one.
void lift(std::vector<double>& values, double fraction) {
  const double largest = *std::max_element(values.begin(), values.end());
  for (double& value : values) value = largest > 0 ? std::max(value, fraction * largest) : 1.0;
}

}  // namespace

Slices random_slices(std::int64_t slices, std::int64_t width, std::uint64_t seed,
                     std::uint32_t stream) {
  base::check(slices > 0 && width > 0, "random_slices: no slices or no width");
  Slices out{tensor::Tensor<double>({slices, width}), tensor::Tensor<double>({slices, width})};
  base::RandomStream random(seed, base::RandomPurpose::slices, stream);
  for (double& value : out.query.flat()) value = random.normal();
  for (std::int64_t first = 0; first < slices; first += width)
    numerics::orthonormalise_rows(
        out.query.rows().block(first, 0, std::min(width, slices - first), width));
  out.key = out.query;
  return out;
}

Slices canonical_slices(tensor::MatrixView<const double> query_covariance,
                        tensor::MatrixView<const double> key_covariance, std::int64_t slices) {
  const std::int64_t width = query_covariance.rows;
  base::check(slices > 0 && slices <= width && query_covariance.cols == width &&
                  key_covariance.rows == width && key_covariance.cols == width,
              "canonical_slices: shapes do not fit");
  numerics::SymmetricEigen query = numerics::symmetric_eigen(query_covariance);
  lift(query.values, kSmallestVariance);
  const tensor::Tensor<double> root = symmetric_power(query, 0.5);
  const tensor::Tensor<double> inverse_root = symmetric_power(query, -0.5);
  numerics::SymmetricEigen middle =
      numerics::symmetric_eigen(product(product(root, key_covariance), root.rows()).rows());
  lift(middle.values, kSmallestProduct);
  const tensor::Tensor<double> a = product(inverse_root, middle.vectors.rows());  // columns u_l
  const tensor::Tensor<double> b = product(root, middle.vectors.rows());

  Slices out{tensor::Tensor<double>({slices, width}), tensor::Tensor<double>({slices, width})};
  for (std::int64_t l = 0; l < slices; ++l) {
    const std::int64_t column = width - 1 - l;  // eigenvalues ascend
    std::int64_t largest = 0;
    for (std::int64_t d = 1; d < width; ++d)
      if (std::abs(a.rows()(d, column)) > std::abs(a.rows()(largest, column))) largest = d;
    const double sign = a.rows()(largest, column) < 0 ? -1.0 : 1.0;
    const double quarter = std::pow(middle.values[column], 0.25);
    for (std::int64_t d = 0; d < width; ++d) {
      out.query.rows()(l, d) = sign * a.rows()(d, column) * quarter;
      out.key.rows()(l, d) = sign * b.rows()(d, column) / quarter;
    }
  }
  return out;
}

}  // namespace asap::transport
