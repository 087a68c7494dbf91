#include <doctest/doctest.h>

#include "region/target/rows.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

TEST_CASE("columns are found by name and by number, with any separator") {
  for (const char* text :
       {"a,b,f\n1,2,3\n4,5,6\n", "a;b;f\n1;2;3\n4;5;6", "a\tb\tf\n1\t2\t3\n4\t5\t6\n",
        "\xef\xbb\xbf"
        "a,b,f\r1,2,3\r4,5,6\r",
        "\n\"a\";b;f\n\"1,0\";2;3,0\n4;5;6\n"}) {
    const region::NamedRows named = region::parse_rows(text, {"f", {}}, "t.csv");
    CHECK(named.inputs == std::vector<std::string>{"a", "b"});
    CHECK(named.target == "f");
    CHECK(named.rows.y == std::vector<double>{3, 6});
    CHECK(named.rows.x[2] == 4);
    CHECK(named.rows.x[3] == 5);
  }
  const region::NamedRows plain = region::parse_rows("1,2,3\n4,5,6\n", {"1", {"3"}}, "t.csv");
  CHECK(plain.inputs == std::vector<std::string>{"3"});
  CHECK(plain.rows.y == std::vector<double>{1, 4});
}

TEST_CASE("a declared separator is used and its line skipped") {
  const region::NamedRows named =
      region::parse_rows("sep=;\na;f\n1,5;2\n3;4\n", {"f", {}}, "t.csv");
  CHECK(named.rows.y == std::vector<double>{2, 4});
  CHECK(named.rows.x[0] == 1.5);
  CHECK(contains(message_of([] {
                   region::parse_rows("sep=|\na|f\n1|x\n", {"f", {}}, "t.csv");
                 }),
                 "t.csv:3"));
}

TEST_CASE("rows to predict need no target, and keep their order") {
  const region::InputRows rows =
      region::parse_inputs("b,note,a\n1,x,2\n3,y,4\n", {"f", {"a", "b"}}, "t.csv");
  CHECK_FALSE(rows.y.has_value());
  CHECK(rows.inputs == std::vector<std::string>{"a", "b"});
  CHECK(rows.x[0] == 2);
  CHECK(rows.x[3] == 3);
  const region::InputRows known = region::parse_inputs("a,f\n1,2\n", {"f", {"a"}}, "t.csv");
  CHECK(known.y == std::vector<double>{2});
  CHECK(region::parse_inputs("1,2\n", {"2", {"1"}}, "t.csv").y == std::vector<double>{2});
  CHECK(contains(message_of([] {
                   region::parse_inputs("b,f\n1,2\n", {"f", {"a"}}, "t.csv");
                 }),
                 "there is no column 'a'"));
}

TEST_CASE("decimal commas are read between semicolons, also without a header") {
  const region::NamedRows named = region::parse_rows("1,5;2,5;3,5\n4,5;5;6\n", {"3", {}}, "t.csv");
  CHECK(named.rows.y == std::vector<double>{3.5, 6});
  CHECK(named.rows.x[0] == 1.5);
  const auto error = [](const char* text) {
    return message_of([&] { region::parse_rows(text, {"f", {}}, "t.csv"); });
  };
  CHECK(contains(error("a;f\n1,5;2\n1.5;2\n"), "t.csv:3: line 2 has a decimal comma"));
  CHECK(contains(error("a;f\n1,2,3;2\n"), "holds '1,2,3'"));
  CHECK(contains(error("a\tf\n1,5\t2\n"), "holds '1,5'"));
}

TEST_CASE("a column without a name is an input only when it is chosen") {
  for (const char* text : {",a,f\n0,1,2\n1,3,4\n", "Unnamed: 0,a,f\n0,1,2\n1,3,4\n"}) {
    CHECK(contains(message_of([&] {
                     region::parse_rows(text, {"f", {}}, "t.csv");
                   }),
                   "column 1 has no name"));
    CHECK(region::parse_rows(text, {"f", {"a"}}, "t.csv").rows.x[1] == 3);
    CHECK(region::parse_rows(text, {"f", {"1", "a"}}, "t.csv").rows.x[2] == 1);
  }
}

TEST_CASE("errors in a file of rows name file, line and column") {
  const auto error = [](const char* text, const region::ColumnChoice& columns) {
    return message_of([&] { region::parse_rows(text, columns, "t.csv"); });
  };
  CHECK(contains(error("a,f\n1,2\nx,3\n", {"f", {}}), "t.csv:3: column 'a' holds 'x'"));
  CHECK(contains(error("a,f\n1,\n", {"f", {}}), "t.csv:2: column 'f' is empty"));
  CHECK(contains(error("a,f\n1,inf\n", {"f", {}}), "is not finite"));
  CHECK(contains(error("a,f\n1,2\n", {"g", {}}), "there is no column 'g'"));
  CHECK(contains(error("a,f\n1,2\n", {"f", {"f"}}), "is the target"));
  CHECK(contains(error("a,b,f\n1,2,3\n", {"f", {"a", "a"}}), "named twice"));
  CHECK(contains(error("a,a,f\n1,2,3\n", {"f", {"a"}}), "two columns"));
  CHECK(contains(error("f\n1\n", {"f", {}}), "no column is left"));
  CHECK(contains(error("", {"f", {}}), "no rows"));
}

}  // namespace
}  // namespace asap::test
