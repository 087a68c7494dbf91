#pragma once

#include "tensor/core/view.h"

namespace asap::attention {

struct LandmarkLoop;

/// What landmark_kernels.cpp compiles once per instruction set; landmark_kernels.h says what each
/// computes.
struct LandmarkKernelSet {
  void (*nearest_rows)(tensor::MatrixView<const float> closeness, const float* offsets,
                       std::int64_t count, std::int32_t* nearest);
  bool (*landmark_loop)(const LandmarkLoop& loop, float* dual);
};

}  // namespace asap::attention
