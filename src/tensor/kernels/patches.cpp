#include "tensor/kernels/patches.h"

#include <algorithm>

namespace asap::tensor {

template <class T>
void extract_patches(const PatchGrid& grid, MatrixView<const T> images, MatrixView<T> patches) {
  base::check(images.cols == grid.channels * grid.height * grid.width &&
                  patches.rows == images.rows * grid.patches() && patches.cols == grid.patch_size(),
              "extract_patches: shapes do not fit");
  std::int64_t row = 0;
  for (std::int64_t b = 0; b < images.rows; ++b)
    for (std::int64_t y = 0; y < grid.height; y += grid.patch)
      for (std::int64_t x = 0; x < grid.width; x += grid.patch, ++row) {
        T* out = patches.row(row).data();
        for (std::int64_t c = 0; c < grid.channels; ++c)
          for (std::int64_t dy = 0; dy < grid.patch; ++dy, out += grid.patch)
            std::copy_n(&images(b, (c * grid.height + y + dy) * grid.width + x), grid.patch, out);
      }
}

template void extract_patches<float>(const PatchGrid&, MatrixView<const float>, MatrixView<float>);
template void extract_patches<double>(const PatchGrid&, MatrixView<const double>,
                                      MatrixView<double>);

}  // namespace asap::tensor
