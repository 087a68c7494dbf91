#pragma once

#include <cstdint>

#include "base/random.h"
#include "tensor/core/tensor.h"

namespace asap::test {

inline tensor::Tensor<double> random_matrix(std::int64_t rows, std::int64_t cols, double size,
                                            std::uint32_t id) {
  base::RandomStream random(21, base::RandomPurpose::test, id);
  tensor::Tensor<double> out({rows, cols});
  for (double& value : out.flat()) value = size * random.normal();
  return out;
}

}  // namespace asap::test
