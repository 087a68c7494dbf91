#include "io/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/files.h"
#include "io/json.h"
#include "io/narrow_types.h"

namespace asap::io {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kHeaderAlignment = 64;

constexpr std::array<std::pair<std::string_view, ElementType>, 5> kNpyTypes{{
    {"<f4", ElementType::float32},
    {"<f8", ElementType::float64},
    {"<i4", ElementType::int32},
    {"<i8", ElementType::int64},
    {"|u1", ElementType::uint8},
}};

/// Copies elements of type Source to their values as Target.
template <class Source, class Target>
std::string widened(std::string_view data) {
  const std::size_t count = data.size() / sizeof(Source);
  std::string out(count * sizeof(Target), '\0');
  for (std::size_t i = 0; i < count; ++i) {
    Source value;
    std::memcpy(&value, data.data() + i * sizeof(Source), sizeof(Source));
    const auto wide = static_cast<Target>(value);
    std::memcpy(out.data() + i * sizeof(Target), &wide, sizeof(Target));
  }
  return out;
}

constexpr std::array<NarrowType, 6> kNarrowNpyTypes{{
    {"<f2", "float16", 2, ElementType::float32, widen_float16},
    {"|i1", "int8", 1, ElementType::int32, widened<std::int8_t, std::int32_t>},
    {"<i2", "int16", 2, ElementType::int32, widened<std::int16_t, std::int32_t>},
    {"<u2", "uint16", 2, ElementType::int32, widened<std::uint16_t, std::int32_t>},
    {"<u4", "uint32", 4, ElementType::int64, widened<std::uint32_t, std::int64_t>},
    {"|b1", "bool", 1, ElementType::uint8, widened<std::uint8_t, std::uint8_t>},
}};

struct NpyHeader {
  std::optional<FileType> type;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> sizes;
};

/// The header is a Python dictionary literal; only the form that NumPy writes is read.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  NpyHeader parse() {
    NpyHeader header;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !header.type) {
        header.type = element_type(quoted());
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = boolean();
      } else if (key == "shape" && !header.sizes) {
        header.sizes = tuple();
      } else {
        fail("has an unexpected key '" + excerpt(key) + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty()) fail("goes on after the closing brace");
    if (!header.type || !header.fortran_order || !header.sizes)
      fail("must give descr, fortran_order and shape");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw base::DataError(source_ + ": the header " + what);
  }
  void skip_space() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n'))
      text_.remove_prefix(1);
  }
  bool accept(char wanted) {
    skip_space();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted))
      fail(std::string("lacks '") + wanted + "' before '" + excerpt(text_.substr(0, 12)) + "'");
  }
  std::string_view quoted() {
    expect('\'');
    const std::size_t end = text_.find('\'');
    if (end == std::string_view::npos) fail("has a quote that is never closed");
    const std::string_view content = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return content;
  }
  bool boolean() {
    skip_space();
    for (const std::string_view word : {"True", "False"})
      if (text_.starts_with(word)) {
        text_.remove_prefix(word.size());
        return word == "True";
      }
    fail("needs fortran_order True or False");
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::int64_t size = -1;
      const auto result = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (result.ec != std::errc() || size < 0) fail("has a shape entry that is no natural number");
      text_.remove_prefix(static_cast<std::size_t>(result.ptr - text_.data()));
      sizes.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }
  FileType element_type(std::string_view name) const {
    for (const auto& [known, type] : kNpyTypes)
      if (name == known) return {type};
    for (const NarrowType& narrow : kNarrowNpyTypes)
      if (name == narrow.stored_name) return {narrow.type, &narrow};
    throw base::DataError(
        source_ + ": elements are '" + excerpt(name) +
            "', expected one of <f2, <f4, <f8, |i1, <i2, <i4, <i8, |u1, <u2, <u4, |b1",
        "convert the array first, for example with array.astype('<f4')");
  }

  std::string_view text_;
  const std::string& source_;
};

/// Splits the file into the header's text and the elements.
std::pair<std::string_view, std::string_view> split_file(std::string_view bytes,
                                                         const std::string& source) {
  if (!bytes.starts_with(kMagic)) throw base::DataError(source + ": not an npy file (wrong magic)");
  if (bytes.size() < 10) throw base::DataError(source + ": truncated npy header");
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const int version = byte(6);
  if (version < 1 || version > 3)
    throw base::DataError(source + ": npy version " + std::to_string(version) +
                          ", expected 1 to 3");
  const std::size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start) throw base::DataError(source + ": truncated npy header");
  std::size_t length = 0;
  for (std::size_t i = start; i-- > 8;) length = length << 8 | byte(i);
  if (length > bytes.size() - start)
    throw base::DataError(source + ": the header claims " + std::to_string(length) +
                          " bytes, the file has " + std::to_string(bytes.size() - start) +
                          " left (truncated?)");
  return {bytes.substr(start, length), bytes.substr(start + length)};
}

std::string python_tuple(const tensor::Shape& shape) {
  std::string text = "(";
  for (int i = 0; i < shape.rank(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.rank() == 1 ? ",)" : ")");
}

}  // namespace

StoredTensor parse_npy(std::string_view bytes, const std::string& source) {
  const auto [text, data] = split_file(bytes, source);
  const NpyHeader header = HeaderParser(text, source).parse();
  const std::vector<std::int64_t>& sizes = *header.sizes;
  if (sizes.size() > tensor::Shape::kMaxRank)
    throw base::DataError(source + ": " + std::to_string(sizes.size()) +
                          " dimensions, at most 6 are supported");
  if (*header.fortran_order && sizes.size() > 1)
    throw base::DataError(source + ": the array is in Fortran order, expected C order",
                          "save numpy.ascontiguousarray(array) instead");
  const std::int64_t count = checked_byte_count(sizes.data(), sizes.size(), header.type->bytes());
  StoredTensor tensor;
  if (count >= 0)
    for (const std::int64_t size : sizes) tensor.shape.append(size);
  if (count < 0 || static_cast<std::uint64_t>(count) != data.size())
    throw base::DataError(
        source + ": the shape needs " + (count < 0 ? "too many" : std::to_string(count)) +
        " bytes, the file has " + std::to_string(data.size()) + " after the header");
  take_elements(tensor, *header.type, data);
  return tensor;
}

StoredTensor read_npy(const std::filesystem::path& path) {
  return parse_npy(base::read_file(path), path.string());
}

std::string serialise_npy(const StoredTensor& tensor) {
  base::check(static_cast<std::int64_t>(tensor.bytes.size()) ==
                  tensor.shape.size() * element_bytes(tensor.type),
              "serialise_npy: bytes do not match the shape");
  const auto type = std::find_if(kNpyTypes.begin(), kNpyTypes.end(),
                                 [&](const auto& pair) { return pair.second == tensor.type; });
  std::string header = "{'descr': '" + std::string(type->first) +
                       "', 'fortran_order': False, 'shape': " + python_tuple(tensor.shape) + ", }";
  constexpr std::size_t kPrefix = kMagic.size() + 4;  // version and length
  header.append(kHeaderAlignment - 1 - (kPrefix + header.size()) % kHeaderAlignment, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
            static_cast<char>(header.size() >> 8)};
  return bytes + header + tensor.bytes;
}

void write_npy(const std::filesystem::path& path, const StoredTensor& tensor) {
  base::write_file_atomically(path, serialise_npy(tensor));
}

}  // namespace asap::io
