#pragma once

#include <cstdint>
#include <span>

#include "tensor/core/view.h"

namespace asap::infer {

/// The class with the largest logit, the first of equal ones. logits: [classes].
std::int32_t predicted_class(tensor::VectorView<const float> logits);

/// Counts of scored labels, and of those that were predicted.
struct Score {
  std::int64_t scored = 0, correct = 0;

  Score& operator+=(const Score& other);
  /// 0 when nothing is scored.
  double accuracy() const;
};

/// Compares the predicted class of every row with its label. logits: [rows, classes], labels:
/// [rows], each in [0, classes) or config::kNotScored.
Score score_predictions(tensor::MatrixView<const float> logits,
                        std::span<const std::int32_t> labels);

}  // namespace asap::infer
