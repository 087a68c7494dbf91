#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "io/stored_tensor.h"

namespace asap::io {

/// Reads NumPy's array format
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), versions 1 to 3:
/// little-endian float32, float64, int32, int64 or uint8 in C order. Narrower numbers widen
/// exactly: float16 to float32; int8, int16 and uint16 to int32; uint32 to int64; bool to uint8.
/// DataError names `source` and what was expected; the header is checked against the size of the
/// file.
StoredTensor parse_npy(std::string_view bytes, const std::string& source);
StoredTensor read_npy(const std::filesystem::path& path);

/// Writes version 1.0, like numpy.save.
std::string serialise_npy(const StoredTensor& tensor);
void write_npy(const std::filesystem::path& path, const StoredTensor& tensor);

}  // namespace asap::io
