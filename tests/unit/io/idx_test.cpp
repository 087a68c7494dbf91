#include "io/idx.h"

#include <cstdint>
#include <numeric>

#include <doctest/doctest.h>

#include "base/files.h"
#include "io/gzip.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

IdxArray small_images() {
  IdxArray images{Shape{3, 4, 5}, std::vector<std::uint8_t>(60)};
  std::iota(images.values.begin(), images.values.end(), std::uint8_t{200});
  return images;
}

void expect_rejected(const std::string& bytes, int rank, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { parse_idx(bytes, rank, "images.idx"); }, {"images.idx"});
  expect_error<DataError>([&] { parse_idx(bytes, rank, "images.idx"); }, parts);
}

}  // namespace

TEST_CASE("IDX data read back as they were written, plain and packed") {
  const IdxArray images = small_images();
  const std::string bytes = serialise_idx(images);
  CHECK(bytes.substr(0, 8) == std::string("\0\0\x08\x03\0\0\0\x03", 8));
  for (const std::string& stored : {bytes, compress_gzip(bytes)}) {
    const IdxArray back = parse_idx(stored, 3, "x");
    CHECK(back.shape == images.shape);
    CHECK(back.values == images.values);
    CHECK(serialise_idx(back) == bytes);
  }
}

TEST_CASE("packing gives the same bytes every time") {
  const std::string bytes = serialise_idx(small_images());
  CHECK(compress_gzip(bytes) == compress_gzip(bytes));
}

TEST_CASE("IDX data larger than one chunk of the unpacker come through whole") {
  IdxArray labels{Shape{300'000}, std::vector<std::uint8_t>(300'000)};
  for (std::size_t i = 0; i < labels.values.size(); ++i)
    labels.values[i] = static_cast<std::uint8_t>(i * i >> 7);
  CHECK(parse_idx(compress_gzip(serialise_idx(labels)), 1, "x").values == labels.values);
}

TEST_CASE("damaged IDX headers are rejected with a reason") {
  const std::string bytes = serialise_idx(small_images());
  expect_rejected("", 3, {"too few"});
  expect_rejected("\x89PNG\r\n", 3, {"wrong magic"});
  expect_rejected(bytes, 1, {"3 dimensions", "expected 1", "labels belong"});
  std::string other = bytes;
  other[2] = 0x0d;
  expect_rejected(other, 3, {"float32", "unsigned bytes"});
  expect_rejected(bytes.substr(0, 10), 3, {"truncated IDX header"});
  other = bytes;
  for (int i = 4; i < 16; ++i) other[static_cast<std::size_t>(i)] = '\xff';
  expect_rejected(other, 3, {"impossible size"});
  expect_rejected(compress_gzip(other), 3, {"impossible size"});
}

TEST_CASE("IDX data that are cut off or go on too long are rejected") {
  const std::string bytes = serialise_idx(small_images());
  const std::string packed = compress_gzip(bytes);
  expect_rejected(bytes.substr(0, 70), 3, {"needs 60 bytes", "has 54", "truncated"});
  expect_rejected(bytes + "junk", 3, {"has 64", "left over"});
  expect_rejected(compress_gzip(bytes.substr(0, 70)), 3, {"needs 60 bytes", "has 54"});
  expect_rejected(compress_gzip(bytes + "junk"), 3, {"more than"});
  expect_rejected(packed + "junk", 3, {"4 unexpected bytes"});
  for (std::size_t size = 2; size < packed.size(); ++size)
    expect_rejected(packed.substr(0, size), 3, {"images.idx"});
}

TEST_CASE("a damaged gzip stream is rejected") {
  std::string packed = compress_gzip(serialise_idx(small_images()));
  packed[packed.size() - 6] ^= 1;  // the checksum
  expect_rejected(packed, 3, {"damaged gzip"});
}

TEST_CASE("a small packed file that claims to be huge is rejected without holding what it claims") {
  std::string bytes = serialise_idx({Shape{0}, {}});
  bytes[4] = '\x7f';
  expect_rejected(compress_gzip(bytes), 1, {"needs 2130706432 bytes", "has 0"});
  expect_rejected(bytes, 1, {"needs 2130706432 bytes", "has 0"});
}

TEST_CASE("a packed file that unpacks to far more than its header says is stopped early") {
  const std::string bomb = serialise_idx({Shape{1}, {7}}) + std::string(50'000'000, '\0');
  expect_rejected(compress_gzip(bomb), 1, {"more than the expected 9 bytes"});
}

TEST_CASE("a missing IDX file is named") {
  const TemporaryFolder folder;
  expect_error<DataError>([&] { read_idx(folder / "none", 3); }, {"none"});
}
