#include "io/text_lines.h"

#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "io/gzip.h"
#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
using namespace std::string_literals;

namespace {

constexpr const char* kMark = "\xef\xbb\xbf";

using Lines = std::vector<std::pair<std::int64_t, std::string>>;

Lines lines_of(std::string_view text) {
  Lines all;
  for (TextLines lines(text); lines.next();) all.emplace_back(lines.number(), lines.line());
  return all;
}

std::string decoded(std::string_view bytes) {
  return std::string(DecodedText(bytes, "file").text());
}

void expect_lines_refused(const std::string& bytes, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { DecodedText(bytes, "file"); }, parts);
}

}  // namespace

TEST_CASE("a byte order mark and packing do not change a text") {
  CHECK(decoded("a\nb") == "a\nb");
  CHECK(decoded(kMark + "a\nb"s) == "a\nb");
  CHECK(decoded(compress_gzip("a\nb")) == "a\nb");
  CHECK(decoded(compress_gzip(kMark + "a\n"s) + compress_gzip("b")) == "a\nb");
  CHECK(decoded(kMark).empty());
  CHECK(decoded("").empty());
}

TEST_CASE("lines end with LF, CRLF or CR and are numbered from 1") {
  const Lines expected{{1, "a"}, {2, ""}, {3, "b"}};
  for (const char* text :
       {"a\n\nb", "a\n\nb\n", "a\r\n\r\nb\r\n", "a\r\rb\r", "a\r\rb", "a\n\r\nb\n"})
    CHECK(lines_of(text) == expected);
  CHECK(lines_of("a\rb\nc\n") == Lines{{1, "a\rb"}, {2, "c"}});
  CHECK(lines_of("a\n"s + kMark + "b\n") == Lines{{1, "a"}, {2, "b"}});
  CHECK(lines_of("").empty());
}

TEST_CASE("CR ends lines where no LF does outside quotes") {
  CHECK(lines_end_with_cr("1,\"a\nb\"\r2,c\r", true));
  CHECK_FALSE(lines_end_with_cr("1,\"a\nb\"\r2,c\r", false));
  CHECK_FALSE(lines_end_with_cr("1,a\rb\n2,c\n", true));
  CHECK_FALSE(lines_end_with_cr("1,\"a\rb\"", true));
}

TEST_CASE("UTF-16 and UTF-32 are named with the conversion that reads them") {
  expect_lines_refused(
      "\xff\xfe"
      "a\0\n\0"s,
      {"file: the text is utf-16,", "iconv -f utf-16 -t utf-8"});
  expect_lines_refused("\xfe\xff\0a\0\n"s, {"the text is utf-16,", "iconv -f utf-16 -t utf-8"});
  expect_lines_refused("a\0\n\0"s, {"iconv -f utf-16le -t utf-8"});
  expect_lines_refused("\0a\0\n"s, {"iconv -f utf-16be -t utf-8"});
  expect_lines_refused("\xff\xfe\0\0a\0\0\0"s, {"iconv -f utf-32 -t utf-8"});
  expect_lines_refused(compress_gzip("\xff\xfe"
                                     "a\0"s),
                       {"iconv -f utf-16 -t utf-8"});
}

TEST_CASE("other bytes that are not UTF-8 keep their line, whatever ends it") {
  for (const char* text : {"a\ngr\xfc", "a\r\ngr\xfc", "a\rgr\xfc"})
    expect_lines_refused(text, {"file:2: byte 0xfc", "iconv -f latin1 -t utf8"});
}

TEST_CASE("quotes around a field are taken off") {
  CHECK(unquoted("\"a b\"") == "a b");
  CHECK(unquoted("\"a \"\"b\"\"\"") == "a \"b\"");
  CHECK(unquoted("\"\"") == "");
  CHECK(unquoted("a") == "a");
  CHECK(unquoted("\"") == "\"");
  CHECK(unquoted("\"a\" and \"b\"") == "\"a\" and \"b\"");
}
