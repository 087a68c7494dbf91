#pragma once

#include <memory>

#include "attention/operators/kind_operator.h"

namespace asap::evaluate {

/// The teacher's loop as it is published and deployed: every update a log-sum-exp over stored scores
/// (Cuturi 2013; Sander et al. 2022). Much slower than the loop that the teacher runs here, with the
/// same result up to rounding.
class LogDomainTeacher final : public attention::AttentionOperator {
 public:
  /// `scores` has the factor of the scores of every head; iterations: T.
  LogDomainTeacher(std::unique_ptr<attention::KindOperator> scores, int iterations);

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override;

  bool works_by_example() const override { return true; }

 private:
  std::unique_ptr<attention::KindOperator> scores_;
  int iterations_;
};

}  // namespace asap::evaluate
