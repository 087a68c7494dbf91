#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"
#include "tensor/core/tensor.h"

namespace asap::io {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian and are copied into memory as they are");

/// The element types that the toolkit reads and writes.
enum class ElementType { float32, float64, int32, int64, uint8 };

/// Bytes of one element.
std::int64_t element_bytes(ElementType type);

/// "float32", "int64", ...: for messages.
std::string_view element_name(ElementType type);

/// The ElementType of a C++ type.
template <class T>
constexpr ElementType element_type_of() {
  if constexpr (std::is_same_v<T, float>) return ElementType::float32;
  if constexpr (std::is_same_v<T, double>) return ElementType::float64;
  if constexpr (std::is_same_v<T, std::int32_t>) return ElementType::int32;
  if constexpr (std::is_same_v<T, std::int64_t>) return ElementType::int64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return ElementType::uint8;
}

/// A tensor in the layout of a file: contiguous, row-major, little-endian.
struct StoredTensor {
  ElementType type = ElementType::float32;
  tensor::Shape shape;
  std::string bytes;  ///< shape.size() * element_bytes(type) of them
  /// The type in the file, such as "float16", where `type` is a wider one; empty: `type` itself.
  std::string_view narrow_type{};

  /// Copies a tensor (or a view of const elements).
  template <class T>
  static StoredTensor from(tensor::TensorView<T> tensor) {
    StoredTensor stored{element_type_of<std::remove_const_t<T>>(), tensor.shape, {}};
    const auto size = static_cast<std::size_t>(tensor.size());
    if (size > 0) stored.bytes.assign(reinterpret_cast<const char*>(tensor.data), size * sizeof(T));
    return stored;
  }
  template <class T>
  static StoredTensor from(const tensor::Tensor<T>& tensor) {
    return from(tensor.view());
  }

  /// The values as T. float32 and float64 convert into each other; any other change of type is a
  /// DataError.
  template <class T>
  tensor::Tensor<T> to() const {
    tensor::Tensor<T> out(shape);
    if (type == element_type_of<T>()) {
      if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
      return out;
    }
    if constexpr (std::is_same_v<T, float>) {
      if (type == ElementType::float64) return convert<T, double>(std::move(out));
    } else if constexpr (std::is_same_v<T, double>) {
      if (type == ElementType::float32) return convert<T, float>(std::move(out));
    }
    throw base::DataError("a tensor of " + std::string(element_name(type)) + " stands where " +
                          std::string(element_name(element_type_of<T>())) + " was expected");
  }

  friend bool operator==(const StoredTensor&, const StoredTensor&) = default;

 private:
  template <class T, class Source>
  tensor::Tensor<T> convert(tensor::Tensor<T> out) const {
    for (std::int64_t i = 0; i < out.size(); ++i) {
      Source value;
      std::memcpy(&value, bytes.data() + i * sizeof(Source), sizeof(Source));
      out[i] = static_cast<T>(value);
    }
    return out;
  }
};

/// The type of the elements in the file: "float16", "float32", ...
std::string_view file_type_name(const StoredTensor& tensor);

/// The size of a tensor in bytes, or -1 when it does not fit in 63 bits. For shapes from files,
/// which cannot be trusted; sizes must not be negative.
std::int64_t checked_byte_count(const std::int64_t* sizes, std::size_t rank, std::int64_t element);

}  // namespace asap::io
