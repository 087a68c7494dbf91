#include "io/idx.h"

#include "base/error.h"
#include "base/files.h"
#include "io/gzip.h"
#include "io/stored_tensor.h"

namespace asap::io {
namespace {

constexpr int kUnsignedByte = 0x08;
constexpr std::size_t kMaxHeaderBytes = 4 + 4 * tensor::Shape::kMaxRank;

std::string type_name(int code) {
  switch (code) {
    case 0x09:
      return "signed byte";
    case 0x0b:
      return "int16";
    case 0x0c:
      return "int32";
    case 0x0d:
      return "float32";
    case 0x0e:
      return "float64";
    default:
      return "unknown";
  }
}

struct Header {
  tensor::Shape shape;
  std::size_t header_bytes = 0;
  std::size_t value_bytes = 0;
};

Header parse_header(std::string_view bytes, int expected_rank, const std::string& source) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  if (bytes.size() < 4)
    throw base::DataError(source + ": " + std::to_string(bytes.size()) +
                          " bytes are too few for an IDX file (truncated?)");
  if (byte(0) != 0 || byte(1) != 0)
    throw base::DataError(source + ": not an IDX file (wrong magic)",
                          "expected two zero bytes at the start");
  if (byte(2) != kUnsignedByte)
    throw base::DataError(source + ": IDX elements of type " + type_name(byte(2)) +
                          ", expected unsigned bytes");
  const int rank = byte(3);
  if (rank != expected_rank)
    throw base::DataError(source + ": IDX data with " + std::to_string(rank) +
                              " dimensions, expected " + std::to_string(expected_rank),
                          expected_rank == 1 ? "are these images where labels belong?"
                                             : "are these labels where images belong?");
  Header header;
  header.header_bytes = 4 + 4 * static_cast<std::size_t>(rank);
  if (bytes.size() < header.header_bytes) throw base::DataError(source + ": truncated IDX header");
  for (int i = 0; i < rank; ++i) {
    std::uint32_t size = 0;
    for (int k = 0; k < 4; ++k) size = size << 8 | byte(4 + 4 * static_cast<std::size_t>(i) + k);
    header.shape.append(size);
  }
  const std::int64_t count =
      checked_byte_count(header.shape.begin(), static_cast<std::size_t>(rank), 1);
  if (count < 0)
    throw base::DataError(source + ": the IDX header claims an impossible size " +
                          header.shape.text());
  header.value_bytes = static_cast<std::size_t>(count);
  return header;
}

void check_size(const Header& header, std::size_t available, const std::string& source) {
  if (available == header.header_bytes + header.value_bytes) return;
  const std::size_t values = available - header.header_bytes;
  throw base::DataError(source + ": the IDX header " + header.shape.text() + " needs " +
                        std::to_string(header.value_bytes) + " bytes, the file has " +
                        std::to_string(values) +
                        (values < header.value_bytes ? " (truncated?)" : " (data left over)"));
}

IdxArray take(std::string_view content, const Header& header) {
  const auto* values = reinterpret_cast<const std::uint8_t*>(content.data()) + header.header_bytes;
  return {header.shape, {values, values + header.value_bytes}};
}

}  // namespace

IdxArray parse_idx(std::string_view bytes, int expected_rank, const std::string& source) {
  if (!is_gzip(bytes)) {
    const Header header = parse_header(bytes, expected_rank, source);
    check_size(header, bytes.size(), source);
    return take(bytes, header);
  }
  const Header header =
      parse_header(decompress_gzip_prefix(bytes, kMaxHeaderBytes, source), expected_rank, source);
  const std::string content =
      decompress_gzip(bytes, header.header_bytes + header.value_bytes, source);
  check_size(header, content.size(), source);
  return take(content, header);
}

IdxArray read_idx(const std::filesystem::path& path, int expected_rank) {
  return parse_idx(base::read_file(path), expected_rank, path.string());
}

std::string serialise_idx(const IdxArray& array) {
  base::check(static_cast<std::int64_t>(array.values.size()) == array.shape.size(),
              "serialise_idx: values do not match the shape");
  std::string bytes{0, 0, static_cast<char>(kUnsignedByte), static_cast<char>(array.shape.rank())};
  for (const std::int64_t size : array.shape)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xff);
  bytes.append(array.values.begin(), array.values.end());
  return bytes;
}

}  // namespace asap::io
