#include "io/stored_tensor.h"

namespace asap::io {

std::int64_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::float32:
    case ElementType::int32:
      return 4;
    case ElementType::float64:
    case ElementType::int64:
      return 8;
    case ElementType::uint8:
      return 1;
  }
  throw base::InternalError("element_bytes: unknown element type");
}

std::string_view element_name(ElementType type) {
  switch (type) {
    case ElementType::float32:
      return "float32";
    case ElementType::float64:
      return "float64";
    case ElementType::int32:
      return "int32";
    case ElementType::int64:
      return "int64";
    case ElementType::uint8:
      return "uint8";
  }
  throw base::InternalError("element_name: unknown element type");
}

std::string_view file_type_name(const StoredTensor& tensor) {
  return tensor.narrow_type.empty() ? element_name(tensor.type) : tensor.narrow_type;
}

std::int64_t checked_byte_count(const std::int64_t* sizes, std::size_t rank, std::int64_t element) {
  // A zero anywhere makes the product zero, but the other sizes must still be representable on
  // their own, or code that multiplies a part of the shape would overflow.
  std::int64_t product = element;
  bool empty = false;
  for (std::size_t i = 0; i < rank; ++i) {
    if (sizes[i] < 0) return -1;
    if (sizes[i] == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, sizes[i], &product)) {
      return -1;
    }
  }
  return empty ? 0 : product;
}

}  // namespace asap::io
