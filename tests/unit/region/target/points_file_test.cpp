#include "region/target/points_file.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

TEST_CASE("points are read from commas, semicolons, tabs and blanks, with header and comments") {
  for (const char* text :
       {"x,y\n0,1\n1,2\n2,5\n3,10\n", "0;1\n1;2\n2;5\n3;10", "0\t1\r\n1\t2\r\n2\t5\r\n3\t10\r\n",
        "# measured\n0 1\n\n1   2\n 2 5 \n3 , 10\n"}) {
    const region::PointsFile file = region::parse_points(text, "points.csv");
    CHECK(file.samples.x == std::vector<double>{0, 1, 2, 3});
    CHECK(file.samples.y == std::vector<double>{1, 2, 5, 10});
    CHECK(file.samples.weight.empty());
    CHECK(file.notes.empty());
  }
}

TEST_CASE("points are sorted and equal x averaged by weight, and both is said") {
  const region::PointsFile file =
      region::parse_points("3,1,1\n1,2,1\n2,4,1\n2,8,3\n5,0,2\n", "points.csv");
  CHECK(file.samples.x == std::vector<double>{1, 2, 3, 5});
  CHECK(file.samples.y == std::vector<double>{2, 7, 1, 0});
  CHECK(file.samples.weight == std::vector<double>{1, 4, 1, 2});
  REQUIRE(file.notes.size() == 2);
  CHECK(contains(file.notes[0], "sorted"));
  CHECK(contains(file.notes[1], "averaged"));
}

TEST_CASE("damaged points are refused with file and line") {
  const auto message = [](const char* text) {
    return message_of([&] { region::parse_points(text, "points.csv"); });
  };
  CHECK(contains(message("0,1\n1,two\n2,3\n3,4\n"), "points.csv:2: 'two' is not a number"));
  CHECK(contains(message("0,1\n1,nan\n2,3\n3,4\n"), "points.csv:2: y is not finite"));
  CHECK(contains(message("0,1\n1,2\ninf,3\n3,4\n"), "points.csv:3: x is not finite"));
  CHECK(contains(message("0,1\n1\n2,3\n3,4\n"), "points.csv:2: 1 column"));
  CHECK(contains(message("0,1,2,3\n"), "4 columns"));
  CHECK(contains(message("0,1\n1,2,3\n"), "points.csv:2: 3 columns"));
  CHECK(contains(message("0,1,1\n1,2,0\n"), "points.csv:2: the weight is not positive"));
  CHECK(contains(message("0,1\n1,2\n2,3\n"), "3 points of different x, at least four"));
  CHECK(contains(message("1,1\n1,2\n1,3\n1,4\n"), "1 points of different x"));
  CHECK(contains(message(""), "0 points"));
  CHECK_THROWS_AS(region::parse_points("0,1\nx,y\n", "points.csv"), base::DataError);
}

}  // namespace
}  // namespace asap::test
