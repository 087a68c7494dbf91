#include "io/gzip.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

TEST_CASE("packed bytes come back, and the first of them alone") {
  const std::string content = "some text, some more text";
  const std::string packed = compress_gzip(content);
  CHECK(is_gzip(packed));
  CHECK(decompress_gzip(packed, 100, "file") == content);
  CHECK(decompress_gzip_prefix(packed, 4, "file") == "some");
  CHECK(compress_gzip(content) == packed);
}

TEST_CASE("a stream that holds more than was promised is refused") {
  const std::string packed = compress_gzip(std::string(1000, 'x'));
  CHECK(decompress_gzip(packed, 1000, "file").size() == 1000);
  expect_error<DataError>([&] { decompress_gzip(packed, 999, "file"); },
                          {"file", "more than the expected 999 bytes"});
}

TEST_CASE("a stream made to exhaust memory is refused whatever was promised") {
  const std::size_t large = std::size_t{20} << 20;
  const std::string bomb = compress_gzip(std::string(large, '\0'));
  REQUIRE(bomb.size() < large / 500);
  expect_error<DataError>([&] { decompress_gzip(bomb, SIZE_MAX / 2, "file"); },
                          {"file", "unpack to more than 16777216", "gunzip"});
  CHECK(unpacked_limit(1 << 20) < std::size_t{64} << 20);
}

TEST_CASE("the members of a file are joined, and zeros that pad them are skipped") {
  const std::string one = compress_gzip("one\n"), two = compress_gzip("two\n");
  const std::string zeros(512, '\0');
  CHECK(decompress_gzip(one + two, 8, "file") == "one\ntwo\n");
  CHECK(decompress_gzip(one + compress_gzip("") + two, 8, "file") == "one\ntwo\n");
  CHECK(decompress_gzip(one + zeros, 4, "file") == "one\n");
  CHECK(decompress_gzip(one + zeros + two + zeros, 8, "file") == "one\ntwo\n");
  CHECK(decompress_gzip_prefix(one + two, 6, "file") == "one\ntw");
}

TEST_CASE("damage after the first member is refused, and limits hold for all members together") {
  const std::string one = compress_gzip("one\n"), zeros(512, '\0');
  expect_error<DataError>([&] { decompress_gzip(one + "text", 100, "file"); },
                          {"file: 4 unexpected bytes after"});
  expect_error<DataError>([&] { decompress_gzip(one + zeros + "x", 100, "file"); },
                          {"513 unexpected bytes after"});
  expect_error<DataError>([&] { decompress_gzip(one + one.substr(0, 12), 100, "file"); },
                          {"ends early"});
  expect_error<DataError>([&] { decompress_gzip(one + one.substr(0, 2), 100, "file"); },
                          {"ends early"});
  expect_error<DataError>([&] { decompress_gzip(one + one, 7, "file"); },
                          {"more than the expected 7 bytes"});
}
