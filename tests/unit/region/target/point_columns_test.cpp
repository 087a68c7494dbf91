#include "region/target/point_columns.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

using region::PointColumns;

using region::ChosenColumns;

PointColumns named(const std::vector<std::string>& names, const ChosenColumns& chosen = {}) {
  return PointColumns::from_names(names, chosen, "f:1");
}

std::string refusal(const std::vector<std::string>& names, const ChosenColumns& chosen = {}) {
  return message_of([&] { named(names, chosen); });
}

/// A file without a header.
PointColumns numbered(std::size_t count, const ChosenColumns& chosen = {}) {
  return PointColumns::in_order(count, chosen, "f:1");
}

TEST_CASE("columns called x, y and weight are found wherever they are, and it is said") {
  const PointColumns swapped = named({"y", "x"});
  CHECK(swapped.x == 1);
  CHECK(swapped.y == 0);
  CHECK_FALSE(swapped.weight);
  CHECK(contains(swapped.note, "column 2 x and column 1 y"));
  const PointColumns units = named({"w", "Y [mm]", "X (s)"});
  CHECK(units.x == 2);
  CHECK(units.y == 1);
  CHECK(units.weight == 0);
  CHECK(contains(units.note, "column 1 the weight"));
}

TEST_CASE("other names stand for x and y in this order") {
  for (const auto& names : {std::vector<std::string>{"time", "value"},
                            {"x", "value"},
                            {"t", "y"},
                            {"", "0"},
                            {"x", "y", "weight"},
                            {"t", "v", "w"}}) {
    const PointColumns columns = named(names);
    CHECK(columns.x == 0);
    CHECK(columns.y == 1);
    CHECK(columns.weight.has_value() == (names.size() == 3));
    CHECK(columns.note.empty());
  }
}

TEST_CASE("the index that pandas writes is left out, and it is said") {
  for (const char* index : {"", "Unnamed: 0"})
    for (const auto& names : {std::vector<std::string>{"x", "y"}, {"time", "value"}, {"0", "1"}}) {
      const PointColumns columns = named({index, names[0], names[1]});
      CHECK(columns.x == 1);
      CHECK(columns.y == 2);
      CHECK_FALSE(columns.weight);
      CHECK(columns.count == 3);
      CHECK(contains(columns.note, "column 1 has no name and is left out"));
    }
  CHECK(named({"", "y", "x", "weight"}).x == 2);
}

TEST_CASE("names that contradict the columns or leave them open are refused") {
  CHECK(contains(refusal({"x", "y", "y"}), "f:1: two columns are called 'y'"));
  CHECK(contains(refusal({"x", "X", "y"}), "two columns are called 'x'"));
  CHECK(contains(refusal({"a", "a"}), "two columns are called 'a'"));
  CHECK(contains(refusal({"y", "t"}), "column y comes before"));
  CHECK(contains(refusal({"t", "x"}), "column x comes after"));
  CHECK(contains(refusal({"x", "y", "sigma"}), "'sigma' is none of x, y and weight"));
  CHECK(contains(refusal({"x", "y", "weight", "z"}), "'z' is none"));
  CHECK(contains(refusal({"x", "weight"}), "no columns x and y"));
  CHECK(contains(refusal({"x"}), "no columns x and y"));
}

TEST_CASE("without names two columns are x and y, three also the weight") {
  CHECK_FALSE(numbered(2).weight);
  CHECK(numbered(3).weight == 2);
  CHECK(contains(message_of([] { numbered(1); }), "f:1: 1 column"));
  CHECK(contains(message_of([] { numbered(4); }), "f:1: 4 columns"));
}

TEST_CASE("chosen columns are names first, then numbers from 1, and it is said") {
  const std::vector<std::string> names = {"id", "time", "2", "temp [C]", "weight"};
  const PointColumns columns = named(names, {"2", "4", ""});
  CHECK(columns.x == 2);
  CHECK(columns.y == 3);
  CHECK(columns.weight == 4);
  CHECK(columns.count == 5);
  CHECK(columns.note ==
        "column 3 '2' is x, column 4 'temp [C]' y, column 5 'weight' the weight; 2 others are left "
        "out");
  const PointColumns other = named(names, {"time", "temp [C]", "id"});
  CHECK(other.weight == 0);
  CHECK(contains(other.note, "column 1 'id' the weight; 2 others"));
  const PointColumns plain = numbered(4, {"3", "1", ""});
  CHECK(plain.x == 2);
  CHECK(plain.y == 0);
  CHECK_FALSE(plain.weight);
  CHECK(plain.note == "column 3 is x, column 1 y; 2 others are left out");
}

TEST_CASE("what is not chosen is found as before, as long as it is clear") {
  CHECK(named({"x", "y1", "y2"}, {"", "y2", ""}).x == 0);
  CHECK(named({"value", "time"}, {"time", "", ""}).y == 0);
  CHECK(named({"x", "y"}, {"y", "x", ""}).x == 1);
  CHECK(named({"t", "v", "s"}, {"", "", "s"}).weight == 2);
  CHECK(named({"", "t", "v"}, {"", "v", ""}).x == 1);
  CHECK(numbered(2, {"2", "", ""}).y == 0);
  CHECK(numbered(3, {"", "", "1"}).x == 1);
  CHECK_FALSE(named({"t", "w", "h"}, {"t", "h", ""}).weight);  // a width as well as a weight
  CHECK(contains(named({"t", "w", "h"}, {"t", "h", ""}).note, "column 2 'w' is left out"));
  CHECK(contains(refusal({"a", "b", "c"}, {"", "c", ""}), "2 columns may be x"));
  CHECK(contains(refusal({"a", "b", "c", "d"}, {"", "", "c"}), "3 columns may be x and y"));
  CHECK(contains(message_of([] { numbered(3, {"1", "", ""}); }), "2 columns may be y"));
}

TEST_CASE("choices that are not there or the same are refused with what is there") {
  const auto hint = [](const std::vector<std::string>& names, const ChosenColumns& chosen) {
    try {
      named(names, chosen);
    } catch (const base::DataError& error) {
      return std::string(error.what()) + " | " + error.hint();
    }
    return std::string();
  };
  CHECK(hint({"time", "temp"}, {"tmie", "temp", ""}) ==
        "f:1: there is no column 'tmie' | did you mean 'time'? the header names 'time', 'temp'; "
        "numbers count columns from 1");
  CHECK(contains(hint({"a", "b"}, {"0", "1", ""}), "no column '0'"));
  CHECK(contains(hint({"a", "b"}, {"3", "1", ""}), "no column '3'"));
  CHECK(contains(refusal({"a", "b"}, {"a", "1", ""}), "`y_column` are both column 1 'a'"));
}

}  // namespace
}  // namespace asap::test
