#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "io/json.h"
#include "io/narrow_types.h"

namespace asap::io {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeaderBytes =
    100'000'000;  // the limit of the reference implementation
constexpr std::string_view kMetadataKey = "__metadata__";

constexpr std::array<std::pair<std::string_view, ElementType>, 5> kTensorTypes{{
    {"F32", ElementType::float32},
    {"F64", ElementType::float64},
    {"I32", ElementType::int32},
    {"I64", ElementType::int64},
    {"U8", ElementType::uint8},
}};

std::string unchanged(std::string_view data) { return std::string(data); }

constexpr std::array<NarrowType, 3> kNarrowTensorTypes{{
    {"F16", "float16", 2, ElementType::float32, widen_float16},
    {"BF16", "bfloat16", 2, ElementType::float32, widen_bfloat16},
    {"BOOL", "bool", 1, ElementType::uint8, unchanged},
}};

std::string_view stored_name(ElementType type) {
  return std::find_if(kTensorTypes.begin(), kTensorTypes.end(),
                      [&](auto& pair) { return pair.second == type; })
      ->first;
}

/// Where one tensor's bytes lie, relative to the end of the header.
struct Extent {
  std::uint64_t begin;
  std::uint64_t end;
  std::string name;
};

/// One tensor's entry of the header; `where` opens every message.
class EntryReader {
 public:
  EntryReader(const Json& entry, std::string where) : entry_(entry), where_(std::move(where)) {
    if (!entry_.is_object()) fail("must be an object with dtype, shape and data_offsets");
    for (const auto& [key, value] : entry_.items())
      if (key != "dtype" && key != "shape" && key != "data_offsets") fail("has an unknown field");
  }

  FileType type() const {
    const Json& value = field("dtype");
    if (!value.is_string()) fail("must have a dtype that is a string");
    const auto& name = value.get_ref<const std::string&>();
    for (const auto& [known, type] : kTensorTypes)
      if (name == known) return {type};
    for (const NarrowType& narrow : kNarrowTensorTypes)
      if (name == narrow.stored_name) return {narrow.type, &narrow};
    fail("has type " + excerpt(name) + ", expected one of F64, F32, F16, BF16, I64, I32, U8, BOOL");
  }

  tensor::Shape shape(std::int64_t element, std::uint64_t* bytes) const {
    const Json& value = field("shape");
    if (!value.is_array()) fail("must have a shape that is an array");
    if (value.size() > tensor::Shape::kMaxRank)
      fail("has " + std::to_string(value.size()) + " dimensions, at most 6 are supported");
    std::vector<std::int64_t> sizes;
    for (const Json& size : value)
      sizes.push_back(static_cast<std::int64_t>(natural(size, "shape")));
    const std::int64_t count = checked_byte_count(sizes.data(), sizes.size(), element);
    if (count < 0) fail("has a shape whose size overflows");
    *bytes = static_cast<std::uint64_t>(count);
    tensor::Shape shape;
    for (const std::int64_t size : sizes) shape.append(size);
    return shape;
  }

  std::pair<std::uint64_t, std::uint64_t> offsets() const {
    const Json& value = field("data_offsets");
    if (!value.is_array() || value.size() != 2) fail("must have two data_offsets");
    return {natural(value[0], "data_offsets"), natural(value[1], "data_offsets")};
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw base::DataError(where_ + " " + what);
  }

 private:
  const Json& field(const char* name) const {
    const auto found = entry_.find(name);
    if (found == entry_.end()) fail(std::string("has no ") + name);
    return *found;
  }

  std::uint64_t natural(const Json& value, const char* name) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX)
      fail(std::string("has a ") + name + " entry that is not a natural number below 2^63");
    return value.get<std::uint64_t>();
  }

  const Json& entry_;
  std::string where_;
};

/// Splits the file into its header and the tensors' bytes.
std::pair<Json, std::string_view> read_header(std::string_view bytes, const std::string& source) {
  if (bytes.size() < kLengthBytes)
    throw base::DataError(source + ": " + std::to_string(bytes.size()) +
                          " bytes are too few for a safetensors file (truncated?)");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > bytes.size() - kLengthBytes || length > kMostHeaderBytes)
    throw base::DataError(source + ": the header claims " + std::to_string(length) +
                          " bytes, the file has " + std::to_string(bytes.size() - kLengthBytes) +
                          " after the length (truncated, or not a safetensors file)");
  const std::string_view text = bytes.substr(kLengthBytes, length);
  if (text.empty() || text.front() != '{')
    throw base::DataError(source + ": the header does not start with '{' (not a safetensors file)");
  return {parse_json(text, source + ": header"), bytes.substr(kLengthBytes + length)};
}

std::map<std::string, std::string> read_metadata(const Json& value, const std::string& source) {
  std::map<std::string, std::string> metadata;
  if (!value.is_object())
    throw base::DataError(source + ": __metadata__ must be an object of strings");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string())
      throw base::DataError(source + ": __metadata__ '" + excerpt(key) + "' must be a string");
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

/// Tensors must fill the data without gap or overlap, as the format demands.
void check_extents(std::vector<Extent> extents, std::uint64_t data_bytes,
                   const std::string& source) {
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t position = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != position)
      throw base::DataError(source + ": tensor '" + excerpt(extent.name) + "' starts at byte " +
                            std::to_string(extent.begin) + ", expected " +
                            std::to_string(position) +
                            " (tensors must neither overlap nor leave gaps)");
    position = extent.end;
  }
  if (position != data_bytes)
    throw base::DataError(source + ": " + std::to_string(data_bytes - position) +
                          " bytes after the last tensor belong to no tensor");
}

}  // namespace

const StoredTensor& TensorFile::at(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found != tensors.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, tensor] : tensors) names.push_back(known);
  const std::string nearest = base::nearest_name(name, names);
  throw base::DataError(
      source + ": there is no tensor '" + name + "'" +
      (nearest.empty() ? "" : " (the nearest name is '" + excerpt(nearest) + "')"));
}

const StoredTensor& TensorFile::expect(const std::string& name, ElementType wanted,
                                       const tensor::Shape& shape) const {
  const StoredTensor& tensor = at(name);
  if (!(tensor.shape == shape))
    throw base::DataError(source + ": tensor '" + name + "' has shape " + tensor.shape.text() +
                              ", expected " + shape.text(),
                          "the file belongs to a model of another shape");
  const auto is_float = [](ElementType type) {
    return type == ElementType::float32 || type == ElementType::float64;
  };
  if (tensor.type != wanted && !(is_float(tensor.type) && is_float(wanted)))
    throw base::DataError(source + ": tensor '" + name + "' holds " +
                          std::string(element_name(tensor.type)) + ", expected " +
                          std::string(element_name(wanted)));
  return tensor;
}

TensorFile parse_safetensors(std::string_view bytes, const std::string& source) {
  const auto [header, data] = read_header(bytes, source);
  TensorFile file;
  file.source = source;
  std::vector<Extent> extents;
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadataKey) {
      file.metadata = read_metadata(value, source);
      continue;
    }
    const EntryReader entry(value, source + ": tensor '" + excerpt(name) + "'");
    StoredTensor tensor;
    const FileType type = entry.type();
    std::uint64_t expected_bytes = 0;
    tensor.shape = entry.shape(type.bytes(), &expected_bytes);
    const auto [begin, end] = entry.offsets();
    if (begin > end || end > data.size())
      entry.fail("lies at bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                 ", the file has " + std::to_string(data.size()) + " bytes of data (truncated?)");
    if (end - begin != expected_bytes)
      entry.fail("has " + std::to_string(end - begin) + " bytes, its shape " + tensor.shape.text() +
                 " needs " + std::to_string(expected_bytes));
    extents.push_back({begin, end, name});
    take_elements(tensor, type, data.substr(begin, end - begin));
    file.tensors.emplace(name, std::move(tensor));
  }
  check_extents(std::move(extents), data.size(), source);
  return file;
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(base::read_file(path), path.string());
}

std::string serialise_safetensors(const TensorFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header[std::string(kMetadataKey)] = file.metadata;
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : file.tensors) {
    base::check(name != kMetadataKey,
                "serialise_safetensors: a tensor cannot be named __metadata__");
    base::check(static_cast<std::int64_t>(tensor.bytes.size()) ==
                    tensor.shape.size() * element_bytes(tensor.type),
                "serialise_safetensors: bytes do not match the shape");
    const std::uint64_t end = position + tensor.bytes.size();
    header[name] = {{"dtype", stored_name(tensor.type)},
                    {"shape", std::vector<std::int64_t>(tensor.shape.begin(), tensor.shape.end())},
                    {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump();
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  bytes.reserve(kLengthBytes + text.size() + position);
  bytes += text;
  for (const auto& [name, tensor] : file.tensors) bytes += tensor.bytes;
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  base::write_file_atomically(path, serialise_safetensors(file));
}

}  // namespace asap::io
