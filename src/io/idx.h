#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/core/shape.h"

namespace asap::io {

/// Bytes in the IDX format of MNIST (http://yann.lecun.com/exdb/mnist): images [count, rows,
/// columns] or labels [count].
struct IdxArray {
  tensor::Shape shape;
  std::vector<std::uint8_t> values;
};

/// Reads IDX data, plain or packed with gzip (told apart by content). Only unsigned bytes are read.
/// DataError names `source`: wrong magic, other element type, other number of dimensions than
/// `expected_rank`, too few bytes, bytes left over, damaged gzip. Memory stays in proportion to the
/// bytes of the file, whatever the header claims.
IdxArray parse_idx(std::string_view bytes, int expected_rank, const std::string& source);
IdxArray read_idx(const std::filesystem::path& path, int expected_rank);

std::string serialise_idx(const IdxArray& array);

}  // namespace asap::io
