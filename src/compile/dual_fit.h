#pragma once

#include <span>

#include "compile/teacher_sample.h"
#include "transport/slices.h"

namespace asap::compile {

/// What the fits of one head need to know about its calibration examples, gathered in one pass.
struct HeadStatistics {
  double score_scale = 1;
  double slack = 0;                           ///< c
  int iterations = 1;                         ///< T of the teacher
  std::vector<std::vector<double>> targets;   ///< f^(T) of each example, empty without live tokens
  tensor::Tensor<double> query_covariance{};  ///< of centred queries, means over examples: [D, D]
  tensor::Tensor<double> key_covariance{};    ///< the same of keys
  std::vector<double> key_sample{};           ///< some centred keys: [.., D], row by row
};

/// Gathers the statistics of one head, sample by sample.
class StatisticsPass {
 public:
  /// examples: the number of calibration examples.
  StatisticsPass(std::int64_t examples, int iterations);

  /// `sample` with the duals of its teacher; index: of its example.
  void add(const TeacherSample& sample, std::int64_t index, tensor::Arena& scratch);
  /// Call once, after all samples. The number of samples that were added.
  std::int64_t finish();
  const HeadStatistics& statistics() const { return statistics_; }

 private:
  HeadStatistics statistics_;
  std::int64_t samples_ = 0;
};

/// Slices for one head: random, or canonical from the covariances of the centred queries and keys.
transport::Slices choose_slices(const HeadStatistics& statistics, const CompileConfig& config,
                                std::uint32_t stream);

/// Prototypes of the centred keys for landmark_dual: [landmarks, D].
tensor::Tensor<double> choose_landmarks(const HeadStatistics& statistics, int landmarks,
                                        std::uint64_t seed, std::uint32_t stream);

/// Ridge regression of targets on features, all queries of all samples together:
///   w = (G + ridge diag(G))^-1 sum features target,  G = sum features featuresᵀ.
/// A feature that never varies gets weight 0.
class RidgeRegression {
 public:
  explicit RidgeRegression(std::int64_t features);

  /// features: centred, [P, n]; target: [n].
  void add(tensor::MatrixView<const double> features, tensor::VectorView<const double> target);
  /// Adds the sums of another regression on the same features.
  void add(const RidgeRegression& other);
  /// NumericalError when G is not finite.
  std::vector<double> solve(double ridge) const;

 private:
  tensor::Tensor<double> gram_;
  std::vector<double> moments_;
};

}  // namespace asap::compile
