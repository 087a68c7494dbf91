#pragma once

#include <memory>
#include <span>
#include <vector>

#include "attention/operators/compiled_operator.h"
#include "compile/teacher_sample.h"

namespace asap::compile {

/// How well a compiled head stands in for its teacher on examples the fit has not seen.
struct HeadEvidence {
  double dual_r2 = 0;       ///< explained variance of the centred target dual; NaN without a map
  double plan_l1 = 0;       ///< mean over rows of sum_j |A_ij - Â_ij|
  double plan_kl = 0;       ///< mean over rows of KL(A_i || Â_i)
  double column_error = 0;  ///< mean over columns of |M/N sum_i Â_ij - 1|
  double teacher_column_error = 0;  ///< the same of the teacher's own plan
  double output_error = 0;  ///< |Â V - A V| / |A V|, all examples together; NaN without values
};

/// Sums behind HeadEvidence.
struct EvidenceTotals {
  double rows = 0, columns = 0;
  double residual = 0, variance = 0;
  double l1 = 0, kl = 0, column = 0, teacher_column = 0;
  double output = 0, output_error = 0;
};

/// Measures what inference runs, sample by sample: plans and outputs are those of CompiledOperator
/// in float32, with the Gibbs kernel stored or recomputed as the operator chooses, and the dual is
/// the one that its tiles predict, as the definition computes it. The teacher they are compared
/// with is in float64.
class HeadMeasurement {
 public:
  explicit HeadMeasurement(const attention::CompiledHead& head);

  void add(const TeacherSample& sample, tensor::Arena& scratch);
  /// InternalError without samples.
  HeadEvidence evidence() const;

 private:
  attention::CompiledHead head_;
  std::unique_ptr<attention::CompiledOperator> compiled_;  // not movable itself
  EvidenceTotals totals_;
};

/// How far the outputs of several heads, which stand in for one teacher, are from the teacher's;
/// less work than HeadMeasurement.
class ErrorMeasurement {
 public:
  explicit ErrorMeasurement(std::vector<attention::CompiledHead> heads);

  void add(const TeacherSample& sample, tensor::Arena& scratch);
  std::int64_t samples() const { return samples_; }
  /// Of every head |Â V - A V| / |A V|, all samples together; without values the plan L1.
  std::vector<double> errors() const;

 private:
  std::vector<std::unique_ptr<attention::CompiledOperator>> operators_;
  std::vector<EvidenceTotals> totals_;
  std::int64_t samples_ = 0;
};

/// HeadMeasurement of samples that are there already.
HeadEvidence measure_head(const attention::CompiledHead& head,
                          std::span<const TeacherSample> samples);

/// The target of the head's map among those of the sample: [n], or with a key bias [m].
const std::vector<double>& target_of(const attention::CompiledHead& head,
                                     const TeacherSample& sample);

/// The dual that the head predicts at inference, in float32, for that target; centred, of the same
/// length.
std::vector<double> predicted_dual(const attention::CompiledHead& head,
                                   const TeacherSample& sample);

/// The mean of every number over heads, [layer][head]; of dual_r2 over those with a map.
HeadEvidence mean_evidence(const std::vector<std::vector<HeadEvidence>>& heads);

}  // namespace asap::compile
