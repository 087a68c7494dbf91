#pragma once

#include <span>
#include <vector>

#include "attention/interface/attention_operator.h"
#include "tensor/core/tensor.h"

namespace asap::predict {

/// Runs another operator and keeps the column errors of its plans, and the plans themselves, of the
/// examples of one batch.
class PlanProbe final : public attention::AttentionOperator {
 public:
  struct Config {
    int layers = 0, heads = 0;
    std::int64_t examples = 0;
    bool keep_plans = false;
  };
  PlanProbe(const attention::AttentionOperator& attention, const Config& config);

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override;

  /// [layers * heads] of one example.
  std::span<const double> column_errors(std::int64_t example) const;
  /// [layers, heads, tokens, tokens] of one example, without padding.
  tensor::Tensor<float> kept_plans(std::int64_t example) const;

 private:
  void see(int layer, std::int64_t index, const attention::AttentionBatch<float>& example,
           tensor::Arena& scratch) const;

  const attention::AttentionOperator& attention_;
  const Config config_;
  mutable std::vector<double> errors_;  // [examples, layers, heads]
  mutable std::vector<tensor::Tensor<float>> plans_;
};

}  // namespace asap::predict
