#include "numerics/dense_solvers.h"

#include <algorithm>

#include <Eigen/Dense>

#include "tensor/kernels/gemm.h"

namespace asap::numerics {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

auto map(tensor::MatrixView<const double> m) {
  return Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>(m.data, m.rows, m.cols,
                                                           Eigen::OuterStride<>(m.stride));
}

auto map(tensor::VectorView<const double> v) {
  return Eigen::Map<const Eigen::VectorXd>(v.data(), static_cast<Eigen::Index>(v.size()));
}

auto map(tensor::VectorView<double> v) {
  return Eigen::Map<Eigen::VectorXd>(v.data(), static_cast<Eigen::Index>(v.size()));
}

}  // namespace

bool solve_positive_definite(tensor::MatrixView<const double> a,
                             tensor::VectorView<const double> diagonal,
                             tensor::VectorView<const double> b, tensor::VectorView<double> x) {
  base::check(a.rows == a.cols && static_cast<std::size_t>(a.rows) == b.size() &&
                  b.size() == x.size() && diagonal.size() == b.size(),
              "solve_positive_definite: shapes do not fit");
  Matrix damped = map(a);
  damped.diagonal() += map(diagonal);
  const Eigen::LLT<Matrix> factor(damped);
  if (factor.info() != Eigen::Success) return false;
  map(x) = factor.solve(map(b));
  return true;
}

void gram_lower(tensor::MatrixView<const double> a, tensor::MatrixView<double> out) {
  base::check(out.rows == a.rows && out.cols == a.rows, "gram_lower: shapes do not fit");
  constexpr std::int64_t kBlock = 32;  // rows whose products with all earlier rows are one gemm
  for (std::int64_t first = 0; first < a.rows; first += kBlock) {
    const std::int64_t rows = std::min(kBlock, a.rows - first);
    tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 1.0,
                         a.block(first, 0, rows, a.cols), a.block(0, 0, first + rows, a.cols), 0.0,
                         out.block(first, 0, rows, first + rows));
  }
}

void solve_least_squares(tensor::MatrixView<const double> a, tensor::VectorView<const double> b,
                         tensor::VectorView<double> x) {
  base::check(
      static_cast<std::size_t>(a.rows) == b.size() && static_cast<std::size_t>(a.cols) == x.size(),
      "solve_least_squares: shapes do not fit");
  map(x) = map(a).completeOrthogonalDecomposition().solve(map(b));
}

SymmetricEigen symmetric_eigen(tensor::MatrixView<const double> a) {
  base::check(a.rows == a.cols, "symmetric_eigen: the matrix is not square");
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(map(a));
  SymmetricEigen result{std::vector<double>(static_cast<std::size_t>(a.rows)),
                        tensor::Tensor<double>({a.rows, a.rows})};
  map(tensor::VectorView<double>(result.values)) = solver.eigenvalues();
  Eigen::Map<Matrix>(result.vectors.data(), a.rows, a.rows) = solver.eigenvectors();
  return result;
}

void orthonormalise_rows(tensor::MatrixView<double> a) {
  base::check(a.rows <= a.cols, "orthonormalise_rows: more rows than columns");
  const Eigen::HouseholderQR<Eigen::MatrixXd> factor(
      map(tensor::MatrixView<const double>(a)).transpose());
  const Eigen::MatrixXd q = factor.householderQ() * Eigen::MatrixXd::Identity(a.cols, a.rows);
  const auto r = factor.matrixQR().diagonal();
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.cols; ++j) a(i, j) = r(i) < 0 ? -q(j, i) : q(j, i);
}

}  // namespace asap::numerics
