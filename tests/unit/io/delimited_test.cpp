#include "io/delimited.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "io/gzip.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr DelimitedFormat kCsv{',', true}, kTsv{'\t', false};

Rows rows_of(const DelimitedRows& table) {
  Rows rows(static_cast<std::size_t>(table.rows()));
  for (std::int64_t row = 0; row < table.rows(); ++row)
    for (std::int64_t column = 0; column < table.columns(); ++column)
      rows[static_cast<std::size_t>(row)].emplace_back(table.field(row, column));
  return rows;
}

Rows parse(std::string_view text, const DelimitedFormat& format = kCsv) {
  return rows_of(parse_delimited(text, format, "t.csv"));
}

void expect_refusal(std::string_view text, std::initializer_list<const char*> parts,
                    const DelimitedFormat& format = kCsv) {
  expect_error<DataError>([&] { parse_delimited(text, format, "t.csv"); }, parts);
}

}  // namespace

TEST_CASE("fields are parted by the separator and rows by LF or CRLF") {
  const Rows expected{{"1", "a b"}, {"2", ""}};
  CHECK(parse("1,a b\n2,\n") == expected);
  CHECK(parse("1,a b\r\n2,\r\n") == expected);
  CHECK(parse("1,a b\n2,") == expected);
  CHECK(parse("\n1,a b\n\r\n\n2,\n") == expected);
  CHECK(parse("1\ta b\n2\t\n", kTsv) == expected);
  CHECK(parse("1;a b\n2;\n", {';', true}) == expected);
  CHECK(parse(compress_gzip("1,a b\n2,\n")) == expected);
  CHECK(parse("\xef\xbb\xbf"
              "1,a b\n2,\n") == expected);
  CHECK(parse("").empty());
}

TEST_CASE("CR ends rows where nothing else does, and files joined have marks inside") {
  const Rows expected{{"1", "a b"}, {"2", ""}};
  CHECK(parse("1,a b\r2,\r") == expected);
  CHECK(parse("\xef\xbb\xbf"
              "1\ta b\r\r2\t",
              kTsv) == expected);
  CHECK(parse("1,\"a\nb\"\r2,c\r") == Rows{{"1", "a\nb"}, {"2", "c"}});
  CHECK(parse("1,a\rb\n2,c\n") == Rows{{"1", "a\rb"}, {"2", "c"}});
  CHECK(parse("1,a\n\xef\xbb\xbf"
              "2,b\n") == Rows{{"1", "a"}, {"2", "b"}});
  CHECK(parse(compress_gzip("1,a b\n") + compress_gzip("2,\n")) == expected);
  CHECK(parse_delimited("1,a\r\r2,b\r", kCsv, "t.csv").line(1) == 3);
  expect_refusal("1,a\r2,b,c\r", {"t.csv:2", "expected 2 columns"});
  expect_refusal(std::string_view("\xff\xfe"
                                  "1\0,\0",
                                  6),
                 {"t.csv", "iconv -f utf-16 -t utf-8"});
}

TEST_CASE("quoted fields hold separators, line ends and doubled quotes") {
  CHECK(parse("\"1\",\"a, \"\"b\"\"\r\nc\"\n2,\"\"\n") == Rows{{"1", "a, \"b\"\r\nc"}, {"2", ""}});
  CHECK(parse("\"\"\"\"\n") == Rows{{"\""}});
  CHECK(parse("\"a\"") == Rows{{"a"}});
}

TEST_CASE("without quoting a quote is an ordinary character") {
  CHECK(parse("1\t\"half\n2\ta \"b\"\n", kTsv) == Rows{{"1", "\"half"}, {"2", "a \"b\""}});
}

TEST_CASE("a first line sep=; declares the separator, as in files for Excel") {
  for (const char* text : {"sep=;\na;b\n1;2\n", "SEP=;\r\na;b\r\n1;2\r\n", "\"sep=;\"\ra;b\r1;2\r",
                           "\xef\xbb\xbfsep=;\na;b\n1;2"}) {
    const DelimitedRows rows = parse_delimited(text, kCsv, "t.csv");
    REQUIRE(rows.rows() == 2);
    CHECK(rows.field(0, 1) == "b");
    CHECK(rows.field(1, 0) == "1");
    CHECK(rows.line(1) == 3);
  }
  CHECK(parse_delimited("sep=\t\na\tb\n", kCsv, "t").field(0, 0) == "a");
  CHECK(parse_delimited("sep=;", kCsv, "t").rows() == 0);
  // Not declarations: a value, a later line, a header.
  CHECK(parse_delimited("sep=a\n", kCsv, "t").rows() == 1);
  CHECK(parse_delimited("a\nsep=;\n", kCsv, "t").rows() == 2);
  CHECK(parse_delimited("sep=;;b\n", kCsv, "t").columns() == 1);
}

TEST_CASE("rows know the line they begin at") {
  const DelimitedRows table = parse_delimited("1,\"a\nb\"\n\n2,c\n3,d\n", kCsv, "t.csv");
  CHECK(table.line(0) == 1);
  CHECK(table.line(1) == 4);
  CHECK(table.line(2) == 5);
}

TEST_CASE("broken quoting is refused by line") {
  expect_refusal("1,a\n2,\"never ends\n3,b\n", {"t.csv:2", "does not end", "quotes=no"});
  expect_refusal("1,a\n2,b\"c\n", {"t.csv:2", "does not begin with one"});
  expect_refusal("1,\"a\nb\"c\n", {"t.csv:2", "more than a separator"});
  expect_refusal("\"a\" ,b\n", {"t.csv:1", "more than a separator"});
  expect_refusal("\"", {"t.csv:1", "does not end"});
}

TEST_CASE("rows of another width are refused by line") {
  expect_refusal("1,a\n2,b,c\n", {"t.csv:2", "expected 2 columns as in line 1, found 3"});
  expect_refusal("\n1,\"a\nb\"\n2\n", {"t.csv:4", "expected 2 columns as in line 2, found 1"});
  expect_refusal("1\ta\n2 b\n", {"t.csv:2", "found 1", "data.text.separator"}, kTsv);
}

TEST_CASE("where rows of another width hold quotes that were not read as such, the hint says so") {
  for (const char* text : {"1\t\"a\nb\"\n", "1\ta\n2\t\"b\tc\"\n", "1\ta\n\"2\n3\"\tb\n"})
    expect_refusal(text, {"data.text.quotes=yes", "data.text.separator"}, kTsv);
  expect_error<DataError>([] { parse_delimited("1\ta\n2 b\n", kTsv, "t"); },
                          {"is the separator right"});
  expect_refusal("1,\"a\"\n2\n", {"is the separator right (data.text.separator)?"});
}

TEST_CASE("bytes that are not UTF-8 are refused with line and offset") {
  expect_refusal(
      "1,a\n2,gr\xfc\xdf"
      "e\n",
      {"t.csv:2", "0xfc", "offset 8", "UTF-8", "iconv"});
  expect_refusal("1,\"a\n\xed\xa0\x80\"\n", {"t.csv:2", "0xed"});
  expect_refusal(compress_gzip("\xc3"), {"t.csv:1", "0xc3", "offset 0"});
}

TEST_CASE("a table is read from a file, and errors name it") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.csv", "1,a\n");
  CHECK(read_delimited(folder / "a.csv", kCsv).field(0, 1) == "a");
  expect_error<DataError>([&] { read_delimited(folder / "b.csv", kCsv); }, {"b.csv"});
}

TEST_CASE("a part of a file counts its lines from where it begins") {
  CHECK(parse_delimited("1,a\n2,b\n", kCsv, "t.csv", 7).line(1) == 8);
  expect_error<DataError>([] { parse_delimited("1,\"a\"b\n", kCsv, "t.csv", 7); }, {"t.csv:7"});
}
