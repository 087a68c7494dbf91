#include "region/target/point_columns.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

using region::PointColumns;

PointColumns named(const std::vector<std::string>& names) {
  return PointColumns::from_names(names, "f:1");
}

std::string refusal(const std::vector<std::string>& names) {
  return message_of([&] { named(names); });
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
  CHECK_FALSE(PointColumns::in_order(2, "f:1").weight);
  CHECK(PointColumns::in_order(3, "f:1").weight == 2);
  CHECK(contains(message_of([] { PointColumns::in_order(1, "f:1"); }), "f:1: 1 column"));
  CHECK(contains(message_of([] { PointColumns::in_order(4, "f:1"); }), "f:1: 4 columns"));
}

}  // namespace
}  // namespace asap::test
