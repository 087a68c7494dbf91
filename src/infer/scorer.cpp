#include "infer/scorer.h"

#include <algorithm>

#include "base/error.h"
#include "config/model_input.h"

namespace asap::infer {

std::int32_t predicted_class(tensor::VectorView<const float> logits) {
  return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

Score& Score::operator+=(const Score& other) {
  scored += other.scored;
  correct += other.correct;
  return *this;
}

double Score::accuracy() const {
  return scored > 0 ? static_cast<double>(correct) / static_cast<double>(scored) : 0;
}

Score score_predictions(tensor::MatrixView<const float> logits,
                        std::span<const std::int32_t> labels) {
  base::check(logits.rows == std::ssize(labels), "score_predictions: one label per row is needed");
  Score score;
  for (std::int64_t i = 0; i < logits.rows; ++i) {
    const std::int32_t label = labels[static_cast<std::size_t>(i)];
    if (label == config::kNotScored) continue;
    ++score.scored;
    if (predicted_class(logits.row(i)) == label) ++score.correct;
  }
  return score;
}

}  // namespace asap::infer
