#include "io/safetensors.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "base/files.h"
#include "io/json.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

TensorFile small_file() {
  TensorFile file;
  Tensor<float> weight(Shape{2, 3});
  for (int i = 0; i < 6; ++i) weight[i] = 0.1f * static_cast<float>(i) - 0.25f;
  Tensor<double> exact(Shape{2});
  exact[0] = 1.0 / 3;
  exact[1] = -std::numeric_limits<double>::infinity();
  Tensor<std::int64_t> counts(Shape{1});
  counts[0] = INT64_MIN;
  file.put("layers.0.weight", weight);
  file.put("exact", exact);
  file.put("counts", counts);
  file.put("empty", Tensor<float>(Shape{0, 4}));
  file.put("scalar", Tensor<std::uint8_t>(Shape{}));
  file.metadata["format"] = "1";
  return file;
}

/// A file with this header and that number of zero bytes of data.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0, length = header.size(); i < 8; ++i, length >>= 8)
    bytes[i] = static_cast<char>(length & 0xff);
  return bytes + header + std::string(data_bytes, '\0');
}

void expect_tensors_rejected(const std::string& bytes, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { parse_safetensors(bytes, "model.safetensors"); },
                          {"model.safetensors"});
  expect_error<DataError>([&] { parse_safetensors(bytes, "model.safetensors"); }, parts);
}

}  // namespace

TEST_CASE("safetensors read back as they were written, with the same bytes when written again") {
  const TemporaryFolder folder;
  const TensorFile file = small_file();
  write_safetensors(folder / "a.safetensors", file);
  const TensorFile back = read_safetensors(folder / "a.safetensors");
  CHECK(back.tensors == file.tensors);
  CHECK(back.metadata == file.metadata);
  CHECK(serialise_safetensors(back) == read_file(folder / "a.safetensors"));
}

TEST_CASE("the safetensors header is padded so that the data start at a multiple of 8") {
  const std::string bytes = serialise_safetensors(small_file());
  CHECK(static_cast<std::uint8_t>(bytes[0]) % 8 == 0);
  CHECK(bytes[8] == '{');
  CHECK(serialise_safetensors(TensorFile{}) == file_of("{}      ", 0));
}

TEST_CASE("the order in which tensors were put into a file does not change its bytes") {
  Tensor<float> one(Shape{1});
  Tensor<float> two(Shape{2});
  TensorFile first;
  first.put("a", one);
  first.put("b", two);
  TensorFile second;
  second.put("b", two);
  second.put("a", one);
  CHECK(serialise_safetensors(first) == serialise_safetensors(second));
}

TEST_CASE("a header written by hand in another order and without padding is read") {
  const std::string header = R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},)"
                             R"("a":{"shape":[1],"data_offsets":[0,4],"dtype":"F32"}})";
  const TensorFile file = parse_safetensors(file_of(header, 6), "x");
  CHECK(file.at("a").shape == Shape{1});
  CHECK(file.at("b").bytes.size() == 2);
}

TEST_CASE("float tensors convert between float32 and float64, other types do not") {
  const TensorFile file = small_file();
  CHECK(file.get<double>("layers.0.weight", Shape{2, 3})[5] == doctest::Approx(0.25));
  CHECK(file.get<float>("exact", Shape{2})[0] == 1.0f / 3);
  CHECK(file.get<std::int64_t>("counts", Shape{1})[0] == INT64_MIN);
  expect_error<DataError>([&] { file.at("counts").to<float>(); }, {"int64", "float32"});
  expect_error<DataError>([&] { file.get<float>("counts", Shape{1}); }, {"'counts'", "int64"});
}

TEST_CASE("a missing tensor or one of another shape is named with its file") {
  TensorFile file = small_file();
  file.source = "run/model.safetensors";
  expect_error<DataError>([&] { file.at("layers.0.weigth"); },
                          {"run/model.safetensors", "'layers.0.weigth'", "'layers.0.weight'"});
  expect_error<DataError>(
      [&] {
        file.get<float>("layers.0.weight", Shape{3, 2});
      },
      {"'layers.0.weight'", "[2, 3]", "[3, 2]"});
}

TEST_CASE("a safetensors file that is cut off anywhere is rejected") {
  const std::string bytes = serialise_safetensors(small_file());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS(parse_safetensors(bytes.substr(0, size), "x"), DataError);
}

TEST_CASE("a safetensors header that does not describe the file is rejected with a reason") {
  expect_tensors_rejected("", {"too few"});
  expect_tensors_rejected(std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8) + "{}",
                          {"header claims"});
  expect_tensors_rejected(file_of("[]", 0), {"'{'"});
  expect_tensors_rejected(file_of("{\"a\":", 0), {"header:1"});
  expect_tensors_rejected(file_of(R"({"a":1})", 0), {"'a'", "object"});
  expect_tensors_rejected(file_of(R"({"a":{"shape":[],"data_offsets":[0,4]}})", 4), {"no dtype"});
  expect_tensors_rejected(file_of(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4),
                          {"no shape"});
  expect_tensors_rejected(file_of(R"({"a":{"dtype":"F32","shape":[]}})", 4), {"no data_offsets"});
  expect_tensors_rejected(file_of(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0]}})", 4),
                          {"two data_offsets"});
  expect_tensors_rejected(
      file_of(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}})", 4),
      {"unknown field"});
  expect_tensors_rejected(file_of(R"({"a":{"dtype":4,"shape":[],"data_offsets":[0,4]}})", 4),
                          {"dtype"});
  expect_tensors_rejected(file_of(R"({"a":{"dtype":"F32","shape":4,"data_offsets":[0,4]}})", 4),
                          {"shape"});
  expect_tensors_rejected(file_of(R"({"__metadata__":{"a":1}})", 0), {"__metadata__", "string"});
  expect_tensors_rejected(file_of(R"({"__metadata__":[]})", 0), {"__metadata__"});
}

namespace {

/// One tensor of type `dtype` whose elements have these bits.
template <class Bits>
StoredTensor read_bits(const std::string& dtype, const std::vector<Bits>& bits) {
  const std::string size = std::to_string(bits.size() * sizeof(Bits));
  std::string bytes =
      file_of(R"({"w":{"dtype":")" + dtype + R"(","shape":[)" + std::to_string(bits.size()) +
                  R"(],"data_offsets":[0,)" + size + "]}}",
              0);
  bytes.append(reinterpret_cast<const char*>(bits.data()), bits.size() * sizeof(Bits));
  return parse_safetensors(bytes, "x").at("w");
}

}  // namespace

TEST_CASE("half precision widens exactly, and what it was is known") {
  // 1, -2, the largest, the smallest subnormal, the smallest normal, -0, infinity (IEEE 754
  // binary16)
  const StoredTensor half = read_bits<std::uint16_t>(
      "F16", {0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x8000, 0x7c00, 0x7e00});
  CHECK(half.type == ElementType::float32);
  CHECK(file_type_name(half) == "float16");
  const asap::tensor::Tensor<float> values = half.to<float>();
  CHECK(values[0] == 1.0f);
  CHECK(values[1] == -2.0f);
  CHECK(values[2] == 65504.0f);
  CHECK(values[3] == 0x1p-24f);
  CHECK(values[4] == 0x1p-14f);
  CHECK(values[5] == 0.0f);
  CHECK(std::signbit(values[5]));
  CHECK(values[6] == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(values[7]));
  const StoredTensor brain = read_bits<std::uint16_t>("BF16", {0x3f80, 0xc040, 0x0001, 0x7f80});
  CHECK(file_type_name(brain) == "bfloat16");
  const asap::tensor::Tensor<float> wide = brain.to<float>();
  CHECK(wide[0] == 1.0f);
  CHECK(wide[1] == -3.0f);
  CHECK(wide[2] == 0x1p-133f);
  CHECK(wide[3] == std::numeric_limits<float>::infinity());
  const StoredTensor flags = read_bits<std::uint8_t>("BOOL", {1, 0, 1});
  CHECK(flags.type == ElementType::uint8);
  CHECK(file_type_name(flags) == "bool");
  CHECK(flags.to<std::uint8_t>()[2] == 1);
  CHECK(file_type_name(read_bits<float>("F32", {1.0f})) == "float32");
  expect_tensors_rejected(
      file_of(R"({"w":{"dtype":"F8_E5M2","shape":[1],"data_offsets":[0,1]}})", 1),
      {"'w'", "F8_E5M2", "BF16"});
  expect_tensors_rejected(file_of(R"({"w":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}})", 4),
                          {"has 4 bytes", "needs 2"});
}

TEST_CASE("tensors whose offsets and shapes disagree with the data are rejected") {
  const auto one = [](const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  expect_tensors_rejected(file_of(one("[2]", "[0,4]"), 4), {"has 4 bytes", "needs 8"});
  expect_tensors_rejected(file_of(one("[2]", "[0,8]"), 4), {"truncated"});
  expect_tensors_rejected(file_of(one("[1]", "[4,0]"), 4), {"bytes 4 to 0"});
  expect_tensors_rejected(file_of(one("[1]", "[4,8]"), 8), {"starts at byte 4"});
  expect_tensors_rejected(file_of(one("[1]", "[0,4]"), 5), {"1 bytes after the last tensor"});
  expect_tensors_rejected(file_of(one("[-1]", "[0,4]"), 4), {"natural number"});
  expect_tensors_rejected(file_of(one("[1.0]", "[0,4]"), 4), {"natural number"});
  expect_tensors_rejected(file_of(one("[1]", "[0,18446744073709551615]"), 4), {"natural number"});
  expect_tensors_rejected(file_of(one("[4611686018427387904,4]", "[0,0]"), 0), {"overflows"});
  expect_tensors_rejected(file_of(one("[0,4611686018427387904,4]", "[0,0]"), 0), {"overflows"});
  expect_tensors_rejected(file_of(one("[1,1,1,1,1,1,1]", "[0,4]"), 4), {"7 dimensions"});
  expect_tensors_rejected(file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                  R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                                  6),
                          {"'b'", "overlap"});
}

TEST_CASE("a tensor that is named twice is rejected") {
  expect_tensors_rejected(file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                  R"("a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                                  8),
                          {"'a'", "twice"});
}

TEST_CASE("a header of bottomless nesting is rejected without exhausting the stack") {
  expect_tensors_rejected(file_of("{\"a\":" + std::string(1'000'000, '['), 0), {"nested deeper"});
}
