#pragma once

#include <memory>

#include "attention/interface/attention_operator.h"

namespace asap::evaluate {

/// Layers first to last, both included; counted from 0.
struct LayerRange {
  int first = 0;
  int last = 0;

  bool contains(int layer) const { return first <= layer && layer <= last; }
  friend bool operator==(const LayerRange&, const LayerRange&) = default;
};

/// One operator in some layers and another in all others: shows what replacing part of a network
/// does.
class PartialOperator final : public attention::AttentionOperator {
 public:
  PartialOperator(std::unique_ptr<attention::AttentionOperator> inside,
                  std::unique_ptr<attention::AttentionOperator> outside, LayerRange layers)
      : inside_(std::move(inside)), outside_(std::move(outside)), layers_(layers) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    choose(layer).apply(layer, batch, output, scratch);
  }

  void plans(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> plans, tensor::Arena& scratch) const override {
    choose(layer).plans(layer, batch, plans, scratch);
  }

  bool works_by_example() const override {
    return inside_->works_by_example() && outside_->works_by_example();
  }

 private:
  const attention::AttentionOperator& choose(int layer) const {
    return layers_.contains(layer) ? *inside_ : *outside_;
  }

  std::unique_ptr<attention::AttentionOperator> inside_, outside_;
  LayerRange layers_;
};

}  // namespace asap::evaluate
