#pragma once

#include <cstdint>
#include <limits>

#include "base/random.h"
#include "tensor/core/tensor.h"

namespace asap::test {

template <class T>
tensor::Tensor<T> random_tensor(const tensor::Shape& shape, std::uint32_t which,
                                double deviation = 1) {
  tensor::Tensor<T> out(shape);
  base::RandomStream random(9, base::RandomPurpose::test, which);
  for (T& value : out.flat()) value = static_cast<T>(deviation * random.normal());
  return out;
}

/// A few units in the last place: elementary functions and sums of some dozen terms of size 1.
template <class T>
constexpr double kUlps = 64 * std::numeric_limits<T>::epsilon();

constexpr std::int64_t kLength = 77;  // not a multiple of any lane count

}  // namespace asap::test
