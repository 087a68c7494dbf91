#pragma once

#include "tensor/core/view.h"

namespace asap::attention {

struct LandmarkLoop;

/// What landmark_kernels.cpp compiles once per instruction set; landmark_kernels.h says what each
/// computes.
struct LandmarkKernelSet {
  void (*nearest_rows)(tensor::MatrixView<const float> closeness, const float* offsets,
                       std::int64_t count, std::int32_t* nearest);
  void (*add_to_clusters)(tensor::MatrixView<const float> tokens, const std::int32_t* cluster,
                          tensor::MatrixView<float> sums);
  bool (*landmark_loop)(const LandmarkLoop& loop, float* dual);
};

}  // namespace asap::attention
