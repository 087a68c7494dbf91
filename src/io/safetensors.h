#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "io/stored_tensor.h"

namespace asap::io {

/// The content of a safetensors file: named tensors and free-text metadata.
struct TensorFile {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;
  std::string source;  ///< the file, for messages

  /// The tensor of that name; DataError names the file and the nearest existing name.
  const StoredTensor& at(const std::string& name) const;

  /// The tensor of that name as T; DataError when its shape or type differs from the expected one.
  template <class T>
  tensor::Tensor<T> get(const std::string& name, const tensor::Shape& expected) const {
    return expect(name, element_type_of<T>(), expected).template to<T>();
  }

  template <class T>
  void put(const std::string& name, const tensor::Tensor<T>& tensor) {
    tensors.insert_or_assign(name, StoredTensor::from(tensor));
  }

 private:
  const StoredTensor& expect(const std::string& name, ElementType type,
                             const tensor::Shape& shape) const;
};

/// Reads a safetensors file (https://github.com/huggingface/safetensors, format section). Nothing
/// in the header is trusted: its length and every type, shape and offset are checked against the
/// size of the file before anything is allocated. F16 and BF16 widen to float32 and BOOL to uint8,
/// exactly. DataError names `source`, the tensor and what was expected.
TensorFile parse_safetensors(std::string_view bytes, const std::string& source);
TensorFile read_safetensors(const std::filesystem::path& path);

/// The same content always gives the same bytes: names sorted, header padded with spaces to 8
/// bytes.
std::string serialise_safetensors(const TensorFile& file);
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace asap::io
