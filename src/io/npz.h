#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/safetensors.h"

namespace asap::io {

/// Reads NumPy's archives of arrays, which numpy.savez and numpy.savez_compressed write: a zip file
/// (PKWARE's APPNOTE 6.3, with its 64-bit extension) whose members NAME.npy are stored or deflated.
/// Only the arrays of `names` are unpacked; all of them when it is empty. Names that the archive
/// lacks are absent from the result. Types of elements are those of parse_npy.
///
/// Nothing in the archive is trusted: members must lie inside it, have the size and the checksum
/// that its directory claims, and may not unpack to more than unpacked_limit of the whole archive.
/// DataError names `source`, the member and what was expected.
TensorFile parse_npz(std::string_view bytes, const std::string& source,
                     const std::vector<std::string>& names = {});
TensorFile read_npz(const std::filesystem::path& path, const std::vector<std::string>& names = {});

/// Whether the bytes begin like a zip file.
bool is_npz(std::string_view bytes);

}  // namespace asap::io
