#include "compile/dual_fit.h"

#include <algorithm>
#include <cmath>

#include "numerics/dense_solvers.h"
#include "numerics/k_means.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"

namespace asap::compile {
namespace {

// Added to the diagonal so that features which never vary, or repeat others, leave it positive.
constexpr double kSmallestPivot = 1e-12;

/// Prototypes do not change noticeably with more keys or rounds than these.
constexpr std::int64_t kKeySample = 4096;
constexpr int kRounds = 12;

/// covariance += tokensᵀ tokens / tokens: [D, D]
void add_covariance(tensor::MatrixView<const double> tokens, tensor::Tensor<double>& covariance) {
  if (covariance.size() == 0) covariance = tensor::Tensor<double>({tokens.cols, tokens.cols});
  tensor::gemm<double>(tensor::Transpose::yes, tensor::Transpose::no,
                       1.0 / static_cast<double>(tokens.rows), tokens, tokens, 1.0,
                       covariance.rows());
}

}  // namespace

StatisticsPass::StatisticsPass(std::int64_t examples, int iterations) {
  statistics_.iterations = iterations;
  statistics_.targets.resize(static_cast<std::size_t>(examples));
}

void StatisticsPass::add(const TeacherSample& sample, std::int64_t index, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const attention::CentredHead<double> head = attention::centre_head<double>(
      sample.queries.rows(), sample.keys.rows(), sample.score_scale, scratch);
  statistics_.score_scale = sample.score_scale;
  statistics_.slack = sample.slack;
  statistics_.targets.at(static_cast<std::size_t>(index)) = sample.target;
  add_covariance(head.x, statistics_.query_covariance);
  add_covariance(head.y, statistics_.key_covariance);
  const auto examples = std::ssize(statistics_.targets);
  const std::int64_t wanted = std::min((kKeySample + examples - 1) / examples, head.y.rows);
  for (std::int64_t s = 0; s < wanted; ++s) {
    const tensor::VectorView<const double> key = head.y.row(s * head.y.rows / wanted);
    statistics_.key_sample.insert(statistics_.key_sample.end(), key.begin(), key.end());
  }
  ++samples_;
}

std::int64_t StatisticsPass::finish() {
  if (samples_ == 0) return 0;
  for (tensor::Tensor<double>* covariance :
       {&statistics_.query_covariance, &statistics_.key_covariance})
    tensor::scale<double>(1 / static_cast<double>(samples_), covariance->flat(),
                          covariance->flat());
  return samples_;
}

transport::Slices choose_slices(const HeadStatistics& statistics, const CompileConfig& config,
                                std::uint32_t stream) {
  const std::int64_t width = statistics.query_covariance.shape()[0];
  if (config.slice_kind == SliceKind::random)
    return transport::random_slices(config.slices, width, config.seed, stream);
  return transport::canonical_slices(statistics.query_covariance.rows(),
                                     statistics.key_covariance.rows(), config.slices);
}

tensor::Tensor<double> choose_landmarks(const HeadStatistics& statistics, int landmarks,
                                        std::uint64_t seed, std::uint32_t stream) {
  const std::int64_t width = statistics.key_covariance.shape()[0];
  const tensor::MatrixView<const double> keys(statistics.key_sample.data(),
                                              std::ssize(statistics.key_sample) / width, width);
  return numerics::k_means(keys, landmarks, kRounds, seed, stream);
}

RidgeRegression::RidgeRegression(std::int64_t features)
    : gram_({features, features}), moments_(static_cast<std::size_t>(features), 0.0) {}

void RidgeRegression::add(tensor::MatrixView<const double> features,
                          tensor::VectorView<const double> target) {
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 1.0, features, features, 1.0,
                       gram_.rows());
  for (std::size_t p = 0; p < moments_.size(); ++p)
    moments_[p] += tensor::dot<double>(features.row(static_cast<std::int64_t>(p)), target);
}

void RidgeRegression::add(const RidgeRegression& other) {
  for (std::size_t k = 0; k < gram_.flat().size(); ++k) gram_.flat()[k] += other.gram_.flat()[k];
  for (std::size_t p = 0; p < moments_.size(); ++p) moments_[p] += other.moments_[p];
}

std::vector<double> RidgeRegression::solve(double ridge) const {
  const auto count = std::ssize(moments_);
  std::vector<double> diagonal(moments_.size()), weights(moments_.size(), 0.0);
  double largest = 0;
  for (std::int64_t p = 0; p < count; ++p) largest = std::max(largest, gram_.rows()(p, p));
  if (largest == 0) return weights;
  for (std::int64_t p = 0; p < count; ++p)
    diagonal[p] = ridge * gram_.rows()(p, p) + kSmallestPivot * largest;
  if (!std::isfinite(largest) ||
      !numerics::solve_positive_definite(gram_.rows(), diagonal, moments_, weights))
    throw base::NumericalError("the Gram matrix of the dual features is not positive definite",
                               "raise ridge, or use fewer slices");
  return weights;
}

}  // namespace asap::compile
