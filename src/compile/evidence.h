#pragma once

#include <span>
#include <vector>

#include "attention/operators/compiled_operator.h"
#include "compile/teacher_sample.h"

namespace asap::compile {

/// How well a compiled head stands in for its teacher on examples the fit has not seen.
struct HeadEvidence {
  double dual_r2 = 0;               ///< explained variance of the centred target dual
  double plan_l1 = 0;               ///< mean over rows of sum_j |A_ij - Â_ij|
  double plan_kl = 0;               ///< mean over rows of KL(A_i || Â_i)
  double column_error = 0;          ///< mean over columns of |M/N sum_i Â_ij - 1|
  double teacher_column_error = 0;  ///< the same of the teacher's own plan
  double output_error = 0;  ///< |Â V - A V| / |A V|, all examples together; NaN without values
};

/// Measures what inference runs: plans and outputs are those of CompiledOperator in float32, with
/// the Gibbs kernel stored or recomputed as the operator chooses, and the dual is the one that its
/// tiles predict. The teacher they are compared with is in float64.
HeadEvidence measure_head(const attention::CompiledHead& head,
                          std::span<const TeacherSample> samples);

/// The dual that the head predicts at inference, in float32, for its teacher's target; centred over
/// the queries: [n].
std::vector<double> predicted_dual(const attention::CompiledHead& head,
                                   const TeacherSample& sample);

/// The mean of every number over heads, [layer][head].
HeadEvidence mean_evidence(const std::vector<std::vector<HeadEvidence>>& heads);

}  // namespace asap::compile
