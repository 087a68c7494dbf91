#include "io/json.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

TEST_CASE("a JSON error names the file and the line") {
  expect_error<DataError>([] { parse_json("{\n  \"a\": 1,\n  \"b\": }\n", "c.json"); },
                          {"c.json:3:"});
  expect_error<DataError>([] { parse_json("", "c.json"); }, {"c.json:1:"});
  expect_error<DataError>([] { parse_json("{} {}", "c.json"); }, {"c.json:1:"});
  expect_error<DataError>([] { parse_json("{\"a\": 1e999}", "c.json"); }, {"c.json", "1e999"});
  expect_error<DataError>([] { parse_json("\"\xff\"", "c.json"); }, {"c.json:1:"});
  expect_error<DataError>([] { parse_json("\"" + std::string(5000, 'x'), "c.json"); }, {"..."});
}

TEST_CASE("a key given twice and bottomless nesting are errors") {
  expect_error<DataError>([] { parse_json(R"({"a": {"b": 1, "b": 2}})", "c.json"); },
                          {"'b'", "twice"});
  CHECK_NOTHROW(parse_json(R"({"a": {"b": 1}, "b": [{"a": 1}, {"a": 2}]})", "c.json"));
  expect_error<DataError>([] { parse_json(std::string(100, '['), "c.json"); }, {"64 levels"});
}

TEST_CASE("a missing JSON file is named") {
  expect_error<DataError>([] { read_json("no/such/file.json"); }, {"no/such/file.json"});
}

TEST_CASE("numbers read back as they were written and NaN becomes null") {
  const double awkward = 0.1 + 0.2;
  const Json value = {{"x", awkward}, {"n", std::nan("")}, {"big", UINT64_MAX}};
  const Json back = parse_json(format_json(value), "text");
  CHECK(back["x"].get<double>() == awkward);
  CHECK(back["big"].get<std::uint64_t>() == UINT64_MAX);
  CHECK(back["n"].is_null());
}

TEST_CASE("equal JSON is equal text: sorted keys, two spaces, one newline at the end") {
  const TemporaryFolder folder;
  write_json(folder / "a.json", Json{{"b", 1}, {"a", {1.0}}});
  CHECK(read_file(folder / "a.json") == "{\n  \"a\": [\n    1.0\n  ],\n  \"b\": 1\n}\n");
  CHECK(read_json(folder / "a.json") == Json{{"a", {1.0}}, {"b", 1}});
}

TEST_CASE("JSON in another encoding is named with the conversion that reads it") {
  for (const std::string& text : {std::string("\xff\xfe{\0}\0", 6), std::string("{\0}\0", 4)})
    expect_error<DataError>([&] { parse_json(text, "f.json"); },
                            {"f.json: the text is utf-16", "iconv -f utf-16"});
  CHECK(parse_json("\xef\xbb\xbf{\"a\": 1}", "f.json")["a"] == 1);
}

TEST_CASE("text that is not UTF-8 does not stop a file from being written") {
  CHECK(format_json_line(Json{{"path", "caf\xe9"}}) == "{\"path\":\"caf\xef\xbf\xbd\"}");
}

TEST_CASE("an excerpt escapes what a terminal would obey and cuts no character in two") {
  CHECK(excerpt("a\tb\x7f") == "a?b?");
  CHECK(excerpt("\x9b"
                "31m") == "\\x9b31m");
  CHECK(excerpt("caf\xe9") == "caf\\xe9");
  CHECK(excerpt("café 東京") == "café 東京");
  CHECK(excerpt(std::string(59, 'a') + "é") == std::string(59, 'a') + "...");
  CHECK(excerpt(std::string(58, 'a') + "é") == std::string(58, 'a') + "é");
}

TEST_CASE("errors in a line of JSON lines begin with its place alone") {
  CHECK(parse_json_line("{\"a\": 1}", "t.jsonl:7")["a"] == 1);
  expect_error<DataError>([] { parse_json_line("{\"a\": ", "t.jsonl:7"); }, {"t.jsonl:7: "});
  expect_error<DataError>([] { parse_json_line("{} {}", "t.jsonl:7"); }, {"t.jsonl:7: "});
  expect_error<DataError>([] { parse_json_line("{\"a\": 1, \"a\": 2}", "t.jsonl:7"); },
                          {"t.jsonl:7: the key 'a' is given twice"});
}
