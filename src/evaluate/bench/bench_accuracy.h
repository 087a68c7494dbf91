#pragma once

#include "evaluate/bench/attention_forms.h"
#include "evaluate/bench/bench_data.h"

namespace asap::evaluate {

/// How near a form comes to Sinkhorn's iterations in float64.
struct FormAccuracy {
  double plan_l1;  ///< mean over queries of sum_j |A_ij - Â_ij|; NaN when plans were not compared
  double output_error;  ///< |O - Ô| / |O|, all heads together
};

/// The reference: plans and outputs of float64 log-domain Sinkhorn for a few heads, with which
/// the forms are compared. A form's plan is its output for unit vectors as values; that needs N²
/// numbers, so plans are compared for short heads only.
class AccuracyCheck {
 public:
  AccuracyCheck(BenchBatch batch, const FormContext& context, int threads);

  FormAccuracy measure(const AttentionForm& form, int threads) const;

 private:
  double plan_distance(const AttentionForm& form, int threads) const;

  BenchBatch batch_;
  const FormContext& context_;
  std::vector<tensor::Tensor<float>> plans_;  // one per head, [N, N]; empty for long heads
  tensor::Tensor<float> output_;              // [B * N, H * D]
};

}  // namespace asap::evaluate
