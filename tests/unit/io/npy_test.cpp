#include "io/npy.h"

#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

std::string npy(const std::string& header, std::size_t data_bytes, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {version, '\0', static_cast<char>(header.size() & 0xff),
            static_cast<char>(header.size() >> 8)};
  if (version > 1) bytes += std::string(2, '\0');
  return bytes + header + std::string(data_bytes, '\0');
}

std::string dictionary(const std::string& descr, const std::string& shape,
                       const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

void expect_rejected(const std::string& bytes, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { parse_npy(bytes, "a.npy"); }, {"a.npy"});
  expect_error<DataError>([&] { parse_npy(bytes, "a.npy"); }, parts);
}

template <class T>
void check_round_trip(const Shape& shape) {
  Tensor<T> tensor(shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor[i] = static_cast<T>(i * 7 - 3);
  const StoredTensor stored = StoredTensor::from(tensor);
  const std::string bytes = serialise_npy(stored);
  CHECK(bytes.find('\n') % 64 == 63);
  const StoredTensor back = parse_npy(bytes, "a.npy");
  CHECK(back == stored);
  CHECK(serialise_npy(back) == bytes);
}

}  // namespace

TEST_CASE("npy arrays of every supported type and rank read back as they were written") {
  check_round_trip<float>(Shape{2, 3});
  check_round_trip<double>(Shape{5});
  check_round_trip<std::int32_t>(Shape{});
  check_round_trip<std::int64_t>(Shape{2, 1, 2, 1, 2, 1});
  check_round_trip<std::uint8_t>(Shape{0, 7});
}

TEST_CASE("the npy header is what numpy.save writes") {
  const std::string bytes = serialise_npy(StoredTensor::from(Tensor<float>(Shape{2})));
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(bytes.substr(10, header.size()) == header);
  CHECK(bytes.size() == 128 + 8);
}

TEST_CASE("npy versions 2 and 3 and other key orders are read") {
  CHECK(parse_npy(npy(dictionary("<f8", "(2, 3)"), 48, 2), "x").shape == Shape{2, 3});
  CHECK(parse_npy(npy(dictionary("<f8", "(2,3)"), 48, 3), "x").shape == Shape{2, 3});
  CHECK(parse_npy(npy("{'shape': (2,), 'fortran_order': True, 'descr': '|u1'}", 2), "x").shape ==
        Shape{2});
}

TEST_CASE("narrow numbers of an npy file widen exactly") {
  const auto parse = [](const std::string& descr, const std::string& shape,
                        const std::string& data) {
    return parse_npy(npy(dictionary(descr, shape), 0) + data, "x");
  };
  // 1, -2, 2^-24 (the smallest), 65504 (the largest), infinity.
  const std::string halves("\x00\x3c\x00\xc0\x01\x00\xff\x7b\x00\x7c", 10);
  const Tensor<float> read = parse("<f2", "(5,)", halves).to<float>();
  CHECK(read[0] == 1);
  CHECK(read[1] == -2);
  CHECK(read[2] == 1.0F / 16777216);
  CHECK(read[3] == 65504);
  CHECK(read[4] == std::numeric_limits<float>::infinity());
  CHECK(parse("<f2", "(1,)", std::string("\x01\x7e", 2)).to<float>()[0] !=
        parse("<f2", "(1,)", std::string("\x01\x7e", 2)).to<float>()[0]);
  CHECK(parse("|i1", "(1,)", "\xff").to<std::int32_t>()[0] == -1);
  CHECK(parse("<i2", "(1,)", "\xfe\xff").to<std::int32_t>()[0] == -2);
  CHECK(parse("<u2", "(1,)", "\xfe\xff").to<std::int32_t>()[0] == 65534);
  CHECK(parse("<u4", "(1,)", "\xff\xff\xff\xff").to<std::int64_t>()[0] == 4294967295);
  CHECK(parse("|b1", "(2,)", std::string("\x01\x00", 2)).to<std::uint8_t>()[0] == 1);
}

TEST_CASE("an npy file goes through the disk") {
  const TemporaryFolder folder;
  const StoredTensor tensor = StoredTensor::from(Tensor<double>(Shape{3}));
  write_npy(folder / "a.npy", tensor);
  CHECK(read_npy(folder / "a.npy") == tensor);
  expect_error<DataError>([&] { read_npy(folder / "b.npy"); }, {"b.npy"});
}

TEST_CASE("an npy file that is not what it claims is rejected with a reason") {
  expect_rejected("", {"magic"});
  expect_rejected("\x93NUMPX", {"magic"});
  expect_rejected("\x93NUMPY\x01", {"truncated"});
  expect_rejected(npy(dictionary("<f4", "(1,)"), 4, 9), {"version 9"});
  expect_rejected(npy(dictionary("<f4", "(1,)"), 4).substr(0, 20), {"header claims"});
  expect_rejected(npy(dictionary("<f4", "(2,)"), 4), {"needs 8 bytes", "has 4"});
  expect_rejected(npy(dictionary("<f4", "(2,)"), 9), {"needs 8 bytes", "has 9"});
  expect_rejected(npy(dictionary(">f4", "(1,)"), 4), {">f4", "<f4"});
  expect_rejected(npy(dictionary("<c8", "(1,)"), 8), {"<c8", "<f2"});
  expect_rejected(npy(dictionary("<f2", "(2,)"), 3), {"needs 4 bytes", "has 3"});
  expect_rejected(npy(dictionary("<f4", "(1, 1)", "True"), 4), {"Fortran"});
  expect_rejected(npy(dictionary("<f4", "(1,)", "Maybe"), 4), {"fortran_order"});
  expect_rejected(npy(dictionary("<f4", "(-1,)"), 4), {"natural number"});
  expect_rejected(npy(dictionary("<f4", "(99999999999999999999,)"), 4), {"natural number"});
  expect_rejected(npy(dictionary("<f4", "(4611686018427387904, 4)"), 0), {"too many"});
  expect_rejected(npy(dictionary("<f4", "(1,1,1,1,1,1,1)"), 4), {"7 dimensions"});
  expect_rejected(npy(dictionary("<f4", "(1 1)"), 4), {"lacks ')'"});
  expect_rejected(npy("{'descr': '<f4'}", 4), {"must give"});
  expect_rejected(npy("{'descr: ", 4), {"quote"});
  expect_rejected(npy("{'colour': 1}", 4), {"'colour'"});
  expect_rejected(npy(dictionary("<f4", "(1,)") + "x", 4), {"goes on"});
}
