#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// Sizes of an image and of the square patches it is cut into; the patch divides both sides.
struct PatchGrid {
  std::int64_t channels, height, width, patch;

  std::int64_t patches() const { return (height / patch) * (width / patch); }
  std::int64_t patch_size() const { return channels * patch * patch; }
};

/// Cuts images into patches, row by row. images: [B, C * H * W] (channels outermost) -> patches:
/// [B * patches, C * p * p], each patch with channels outermost. InternalError when
/// shapes do not fit.
template <class T>
void extract_patches(const PatchGrid& grid, MatrixView<const T> images, MatrixView<T> patches);

}  // namespace asap::tensor
