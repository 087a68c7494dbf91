#include "tensor/kernels/patches.h"

#include <doctest/doctest.h>

#include "tensor/core/tensor.h"

using namespace asap::tensor;

TEST_CASE("patches keep rows, columns and channels where they belong") {
  const PatchGrid grid{2, 4, 6, 2};
  Tensor<float> image({1, 2 * 4 * 6}), patches({6, 8});
  for (std::int64_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i);
  extract_patches<float>(grid, image.rows(), patches.rows());
  // Patch 4 is the second row of patches, second column: rows 2-3, columns 2-3 of both channels.
  const float expected[] = {14, 15, 20, 21, 38, 39, 44, 45};
  for (int i = 0; i < 8; ++i) CHECK(patches.rows()(4, i) == expected[i]);
}
