#include "io/npz.h"

#include <cstdint>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/npz_file.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

std::map<std::string, StoredTensor> two_arrays() {
  Tensor<float> points(Shape{2, 3});
  for (std::int64_t i = 0; i < points.size(); ++i) points[i] = static_cast<float>(i) / 4;
  Tensor<std::int64_t> offsets(Shape{4});
  offsets[3] = 1'000'000'000'000;
  return {{"points", StoredTensor::from(points)}, {"offsets", StoredTensor::from(offsets)}};
}

void expect_archive_rejected(const std::string& bytes, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { parse_npz(bytes, "a.npz"); }, {"a.npz"});
  expect_error<DataError>([&] { parse_npz(bytes, "a.npz"); }, parts);
}

std::string replaced(std::string bytes, std::size_t at, const std::string& piece) {
  return bytes.replace(at, piece.size(), piece);
}

}  // namespace

TEST_CASE("arrays of an npz archive read back, stored, deflated and with 64-bit sizes") {
  for (const NpzPacking packing :
       {NpzPacking::stored, NpzPacking::deflated, NpzPacking::stored_with_64_bits}) {
    const TensorFile file = parse_npz(npz_file(two_arrays(), packing), "a.npz");
    CHECK(file.tensors == two_arrays());
    CHECK(file.source == "a.npz");
  }
}

TEST_CASE("an npz archive goes through the disk, and its comment is skipped") {
  const TemporaryFolder folder;
  std::string bytes = npz_file(two_arrays());
  bytes.replace(bytes.size() - 2, 2, std::string("\x05\x00", 2) + "hello");
  write_file_atomically(folder / "a.npz", bytes);
  CHECK(read_npz(folder / "a.npz").tensors == two_arrays());
  expect_error<DataError>([&] { read_npz(folder / "b.npz"); }, {"b.npz"});
}

TEST_CASE("only the named arrays of an npz archive are unpacked") {
  std::map<std::string, std::string> files;
  for (const auto& [name, array] : two_arrays()) files[name + ".npy"] = serialise_npy(array);
  files["names.npy"] = "an array of strings, which is no npy file of numbers";
  files["README"] = "not an array";
  const std::string bytes = zip_file(files, NpzPacking::deflated);
  CHECK(parse_npz(bytes, "a.npz", {"points", "offsets", "absent"}).tensors == two_arrays());
  expect_archive_rejected(bytes, {"array 'names'", "magic"});
}

TEST_CASE("an npz archive that is not what it claims is rejected with a reason") {
  const std::string valid = npz_file(two_arrays());
  const std::string packed = npz_file(two_arrays(), NpzPacking::deflated);
  const std::size_t entry = valid.find("PK\x01\x02");
  const std::size_t end = valid.size() - 22;
  expect_archive_rejected("", {"magic"});
  expect_archive_rejected("\x93NUMPY", {"magic"});
  expect_archive_rejected(valid.substr(0, valid.size() - 1), {"truncated"});
  expect_archive_rejected(valid.substr(0, entry), {"truncated"});
  expect_archive_rejected(replaced(valid, end + 10, little_endian(3, 2)), {"3 members", "lists 2"});
  expect_archive_rejected(replaced(valid, end + 10, little_endian(1, 2)),
                          {"1 member,", "lists more"});
  expect_archive_rejected(replaced(valid, end + 16, little_endian(1 << 30, 4)), {"beyond its end"});
  expect_archive_rejected(replaced(valid, end + 12, little_endian(20, 4)), {"damaged"});
  expect_archive_rejected(replaced(valid, entry + 28, little_endian(60000, 2)), {"ends early"});
  expect_archive_rejected(replaced(valid, entry + 8, little_endian(1, 2)),
                          {"'offsets'", "encrypted"});
  expect_archive_rejected(replaced(valid, entry + 10, little_endian(12, 2)),
                          {"method 12", "deflated"});
  expect_archive_rejected(replaced(valid, entry + 24, little_endian(7, 4)), {"two sizes"});
  expect_archive_rejected(replaced(valid, entry + 42, little_endian(1, 4)), {"no header"});
  expect_archive_rejected(replaced(valid, entry - 1, "\x7f"), {"'points'", "checksum"});
  const std::size_t packed_entry = packed.find("PK\x01\x02");
  expect_archive_rejected(replaced(packed, packed_entry + 24, little_endian(161, 4)),
                          {"does not unpack"});
  expect_archive_rejected(zip_file({{"README", "text"}}, NpzPacking::stored), {"no arrays"});
  expect_archive_rejected(zip_file({}, NpzPacking::stored), {"no arrays"});
}

TEST_CASE("two arrays of one name in an npz archive are refused") {
  std::string bytes = npz_file({{"a", StoredTensor::from(Tensor<float>(Shape{1}))},
                                {"b", StoredTensor::from(Tensor<float>(Shape{1}))}});
  bytes[bytes.rfind("b.npy")] = 'a';
  expect_archive_rejected(bytes, {"'a' occurs twice", "numpy.savez"});
}

TEST_CASE("an npz archive that unpacks to far more than its size is refused") {
  const StoredTensor zeros = StoredTensor::from(Tensor<std::uint8_t>(Shape{17 << 20}));
  expect_archive_rejected(npz_file({{"zeros", zeros}}, NpzPacking::deflated),
                          {"'zeros'", "unpacks to", "uncompressed"});
  CHECK(parse_npz(npz_file({{"zeros", zeros}}), "a.npz").at("zeros") == zeros);
}
