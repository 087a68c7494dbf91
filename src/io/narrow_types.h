#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/stored_tensor.h"

namespace asap::io {

/// A type of elements that is read, but neither kept nor written.
struct NarrowType {
  std::string_view stored_name;  ///< as the format calls it: "F16", "<f2"
  std::string_view name;         ///< for messages: "float16"
  std::int64_t bytes;
  ElementType type;  ///< what it is widened to
  std::string (*widen)(std::string_view data);
};

/// How the elements of a file are stored: as `type`, or as a narrow type.
struct FileType {
  ElementType type;
  const NarrowType* narrow = nullptr;

  std::int64_t bytes() const { return narrow != nullptr ? narrow->bytes : element_bytes(type); }
};

/// Fills type and bytes of the tensor from its elements in the file.
void take_elements(StoredTensor& tensor, const FileType& type, std::string_view data);

/// Elements of types that are read and kept as wider ones, little-endian; every value is kept
/// exactly, signed zeros, infinities and NaN included.

/// IEEE 754 binary16 (sign, 5 bits of exponent, 10 of fraction) to float32.
std::string widen_float16(std::string_view data);

/// bfloat16, the upper half of a float32, to float32.
std::string widen_bfloat16(std::string_view data);

}  // namespace asap::io
