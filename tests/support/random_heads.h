#pragma once

#include "attention/operators/compiled_operator.h"
#include "base/random.h"

namespace asap::test {

inline tensor::Tensor<float> random_floats(const tensor::Shape& shape, float size,
                                           base::RandomStream& random) {
  tensor::Tensor<float> out(shape);
  for (float& value : out.flat()) value = size * static_cast<float>(random.normal());
  return out;
}

/// A head of width D with random slices, landmarks and weights.
inline attention::CompiledHead random_head(const attention::DualFeatures& features,
                                           attention::CompiledMode mode, std::int64_t width,
                                           base::RandomStream& random) {
  constexpr std::int64_t kSlices = 2;
  attention::CompiledHead head{.features = features, .mode = mode, .score_scale = 0.7f};
  if (features.uses_slices()) {
    head.query_slices = random_floats({kSlices, width}, 0.5f, random);
    head.key_slices = random_floats({kSlices, width}, 0.5f, random);
  }
  if (features.landmarks > 0) {
    head.landmarks = random_floats({features.landmarks, width}, 1, random);
    head.teacher_iterations = 5;
  }
  const std::int64_t slices = features.uses_slices() ? kSlices : 0;
  for (std::int64_t w = 0; w < features.weight_count(slices); ++w)
    head.weights.push_back(0.3f * static_cast<float>(random.normal()));
  return head;
}

}  // namespace asap::test
