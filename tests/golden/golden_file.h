#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "io/safetensors.h"

namespace asap::test {

/// Reads tests/golden/data/<name>, written by scripts/make_golden.py.
inline io::TensorFile read_golden(const std::string& name) {
  return io::read_safetensors(std::string(ASAP_GOLDEN_DATA) + "/" + name);
}

inline tensor::Tensor<double> golden(const io::TensorFile& file, const std::string& name) {
  return file.at(name).to<double>();
}

/// Largest absolute difference, relative to the largest magnitude of the expected values (or 1, if
/// larger). Two correct float64 computations that add in different orders stay within a few hundred
/// roundings, 1e-13, unless the quantity is badly conditioned.
inline double relative_difference(tensor::VectorView<const double> actual,
                                  tensor::VectorView<const double> expected) {
  base::check(actual.size() == expected.size(), "golden values of another size");
  double largest = 0, magnitude = 1;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    // A NaN must not vanish in std::max.
    const double difference = std::abs(actual[i] - expected[i]);
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
    magnitude = std::max(magnitude, std::abs(expected[i]));
  }
  return largest / magnitude;
}

}  // namespace asap::test
