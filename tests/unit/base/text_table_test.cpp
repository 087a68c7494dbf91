#include "base/text_table.h"

#include <doctest/doctest.h>

using namespace asap::base;

TEST_CASE("table columns are aligned, words left and numbers right") {
  Table table({{"method", Table::Align::left}, {"accuracy"}});
  table.add_row({"teacher", "0.834"});
  table.add_row({"sinkhorn:1", "0.7"});
  CHECK(table.text() ==
        "method      accuracy\n"
        "----------  --------\n"
        "teacher        0.834\n"
        "sinkhorn:1       0.7\n");
  CHECK_THROWS_AS(table.add_row({"one cell"}), std::exception);
}

TEST_CASE("table width counts characters, not bytes") {
  Table table({{"name", Table::Align::left}, {"x"}});
  table.add_row({"ε = ½", "1"});
  table.add_row({"abcde", "2"});
  CHECK(table.text().find("ε = ½  1\nabcde  2\n") != std::string::npos);
}
