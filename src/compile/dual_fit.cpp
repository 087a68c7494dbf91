#include "compile/dual_fit.h"

#include <algorithm>
#include <cmath>

#include "numerics/dense_solvers.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"

namespace asap::compile {
namespace {

// Added to the diagonal so that features which never vary, or repeat others, leave it positive.
constexpr double kSmallestPivot = 1e-12;

/// covariance += tokensᵀ tokens / (tokens * samples): [D, D]
void add_covariance(tensor::MatrixView<const double> tokens, std::size_t samples,
                    tensor::MatrixView<double> covariance) {
  tensor::gemm<double>(tensor::Transpose::yes, tensor::Transpose::no,
                       1.0 / (static_cast<double>(tokens.rows) * static_cast<double>(samples)),
                       tokens, tokens, 1.0, covariance);
}

}  // namespace

transport::Slices choose_slices(std::span<const TeacherSample> samples, const CompileConfig& config,
                                std::uint32_t stream) {
  const std::int64_t width = samples[0].queries.shape()[1];
  if (config.slice_kind == SliceKind::random)
    return transport::random_slices(config.slices, width, config.seed, stream);
  tensor::Tensor<double> query_covariance({width, width}), key_covariance({width, width});
  tensor::Arena scratch;
  for (const TeacherSample& sample : samples) {
    scratch.clear();
    const attention::CentredHead<double> head = attention::centre_head<double>(
        sample.queries.rows(), sample.keys.rows(), sample.score_scale, scratch);
    add_covariance(head.x, samples.size(), query_covariance.rows());
    add_covariance(head.y, samples.size(), key_covariance.rows());
  }
  return transport::canonical_slices(query_covariance.rows(), key_covariance.rows(), config.slices);
}

std::vector<double> fit_ridge(std::span<const FitSample> samples, double ridge) {
  base::check(!samples.empty(), "fit_ridge: no samples");
  const std::int64_t count = samples[0].features.shape()[0];
  tensor::Tensor<double> gram({count, count});
  std::vector<double> moments(count, 0.0), diagonal(count), weights(count, 0.0);
  for (const FitSample& sample : samples) {
    const tensor::MatrixView<const double> features = sample.features.rows();
    tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 1.0, features, features,
                         1.0, gram.rows());
    for (std::int64_t p = 0; p < count; ++p)
      moments[p] += tensor::dot<double>(features.row(p), sample.target);
  }
  double largest = 0;
  for (std::int64_t p = 0; p < count; ++p) largest = std::max(largest, gram.rows()(p, p));
  if (largest == 0) return weights;
  for (std::int64_t p = 0; p < count; ++p)
    diagonal[p] = ridge * gram.rows()(p, p) + kSmallestPivot * largest;
  if (!std::isfinite(largest) ||
      !numerics::solve_positive_definite(gram.rows(), diagonal, moments, weights))
    throw base::NumericalError("the Gram matrix of the dual features is not positive definite",
                               "raise ridge, or use fewer slices");
  return weights;
}

}  // namespace asap::compile
