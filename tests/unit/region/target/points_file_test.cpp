#include "region/target/points_file.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"
#include "io/gzip.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

TEST_CASE("points are read from commas, semicolons, tabs and blanks, with header and comments") {
  for (const char* text :
       {"x,y\n0,1\n1,2\n2,5\n3,10\n", "0;1\n1;2\n2;5\n3;10", "0\t1\r\n1\t2\r\n2\t5\r\n3\t10\r\n",
        "# measured\n0 1\n\n1   2\n 2 5 \n3  10\n", "0 , 1\n1,2\n 2 ,5,\n3,\t10\n",
        "\"x\",\"y\"\n\"0\",\"1\"\n1,\"2\"\n\"2\",5\n3,10\n",
        "\xef\xbb\xbf"
        "0,1\n1,2\n2,5\n3,10\n",
        "sep=;\r\nx;y\r\n0;1\r\n1;2\r\n2;5\r\n3;10\r\n", "0,1\r1,2\r2,5\r3,10\r"}) {
    const region::PointsFile file = region::parse_points(text, "points.csv");
    CHECK(file.samples.x == std::vector<double>{0, 1, 2, 3});
    CHECK(file.samples.y == std::vector<double>{1, 2, 5, 10});
    CHECK(file.samples.weight.empty());
    CHECK(file.notes.empty());
  }
}

TEST_CASE("points may be packed, but not UTF-16") {
  const std::string text = "0,1\n1,2\n2,5\n3,10\n";
  CHECK(region::parse_points(io::compress_gzip(text), "p.gz").samples.y ==
        std::vector<double>{1, 2, 5, 10});
  CHECK(contains(message_of([] {
                   region::parse_points(std::string_view("\xff\xfe"
                                                         "0\0,\0",
                                                         6),
                                        "p.csv");
                 }),
                 "p.csv: the text is utf-16"));
}

TEST_CASE("between semicolons numbers may have decimal commas") {
  const region::PointsFile file =
      region::parse_points("x;y\n5;20,7\n6;21\n7,5;\"22,1\"\n8;23\n", "p.csv");
  CHECK(file.samples.x == std::vector<double>{5, 6, 7.5, 8});
  CHECK(file.samples.y == std::vector<double>{20.7, 21, 22.1, 23});
  CHECK(file.samples.weight.empty());
  CHECK(region::parse_points("1,5;2;0,5\n2;3;1\n3;4;1\n4;5;1\n", "p.csv").samples.weight ==
        std::vector<double>{0.5, 1, 1, 1});
}

TEST_CASE("a second separator is never read as one") {
  const auto message = [](const char* text) {
    return message_of([&] { region::parse_points(text, "p.csv"); });
  };
  CHECK(contains(message("1;2,5\n2;3.5\n"), "p.csv:2: line 1 has a decimal comma"));
  CHECK(contains(message("1;2;3,4,5\n"), "p.csv:1: '3,4,5' is not a number"));
  CHECK(contains(message("x\ty\n1\t2,5\n"), "p.csv:1: 'x?y' is not a number"));
  CHECK(contains(message("1 2,5\n2 3,5\n"), "p.csv:1: '1 2' is not a number"));
  CHECK(contains(message("0 1\n1 2\n2 5\n3 , 10\n"), "p.csv:1: '0 1' is not a number"));
  CHECK(contains(message("1,2\n3;4\n"), "p.csv:1"));
  CHECK(contains(message("1;1.234,5\n"), "'1.234,5' is not a number"));
  CHECK(contains(message("x,y\n\"1,5\",\"2,5\"\n"), "p.csv:2: '1,5' is not a number"));
}

TEST_CASE("the header decides which column is x, and must fit the lines") {
  const region::PointsFile swapped = region::parse_points("y,x\n1,0\n2,1\n5,2\n10,3\n", "p.csv");
  CHECK(swapped.samples.y == std::vector<double>{1, 2, 5, 10});
  REQUIRE(swapped.notes.size() == 1);
  CHECK(contains(swapped.notes[0], "column 2 x"));
  for (const char* text :
       {",x,y\n0,1,3\n1,2,4\n2,3,5\n3,4,6\n", "\tx\ty\n0\t1\t3\n1\t2\t4\n2\t3\t5\n3\t4\t6\n"}) {
    const region::PointsFile indexed = region::parse_points(text, "p.csv");
    CHECK(indexed.samples.x == std::vector<double>{1, 2, 3, 4});
    CHECK(indexed.samples.y == std::vector<double>{3, 4, 5, 6});
  }
  const auto message = [](const char* text) {
    return message_of([&] { region::parse_points(text, "p.csv"); });
  };
  CHECK(contains(message("x,y\n1,2,3\n"), "p.csv:2: 3 columns"));
  CHECK(contains(message("x,y,weight\n1,2\n"), "p.csv:2: 2 columns"));
  CHECK(contains(message("x,x\n1,2\n"), "p.csv:1: two columns are called 'x'"));
  CHECK(contains(message("O.5,2\n1,2\n"), "p.csv:1: 'O.5' is not a number"));
  CHECK(contains(message("O,5;2\n1;2\n"), "p.csv:1: 'O,5' is not a number"));
}

TEST_CASE("of a file with other columns the chosen ones are read, whatever the others hold") {
  const std::string body = "Mon;1,5;;7\nTue;2,5;note;8\nWed;3,5;\"a;b\";9\nThu;4;;10\n";
  for (const bool header : {true, false}) {
    const region::PointsFile file = region::parse_points(
        (header ? "day;time;remark;temp\n" : "") + body, "p.csv",
        header ? region::ChosenColumns{"time", "temp", ""} : region::ChosenColumns{"2", "4", ""});
    CHECK(file.samples.x == std::vector<double>{1.5, 2.5, 3.5, 4});
    CHECK(file.samples.y == std::vector<double>{7, 8, 9, 10});
    REQUIRE(file.notes.size() == 1);
    CHECK(contains(file.notes[0], "2 others are left out"));
  }
  // Names that are numbers, beside one that is chosen by name.
  CHECK(region::parse_points("year,2019,2020\n1,5,6\n2,6,7\n3,7,8\n4,8,9\n", "p.csv",
                             {"year", "2020", ""})
            .samples.y == std::vector<double>{6, 7, 8, 9});
  // The last column may be empty.
  CHECK(region::parse_points("x,y,remark\n1,5,\n2,6,a\n3,7,\n4,8,\n", "p.csv", {"1", "2", ""})
            .samples.size() == 4);
}

TEST_CASE("a chosen column that is not there, or holds words, is refused by line") {
  const auto message = [](const char* text, const region::ChosenColumns& chosen) {
    return message_of([&] { region::parse_points(text, "p.csv", chosen); });
  };
  CHECK(contains(message("a,b\n1,2\n", {"c", "b", ""}), "p.csv:1: there is no column 'c'"));
  CHECK(contains(message("1,2\n3,4\n", {"a", "b", ""}), "p.csv:1: there is no column 'a'"));
  CHECK(contains(message("a,b,c\n1,2,3\n4,x,6\n", {"a", "b", ""}), "p.csv:3: 'x' is not"));
  CHECK(contains(message("a,b,c\n1,2,3\n4,5\n", {"a", "b", ""}), "p.csv:3: 2 columns"));
  CHECK(contains(message("a,b,c\n1,2,-3\n", {"a", "b", "c"}), "weight is not positive"));
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
  CHECK(file.spread.low == std::vector<double>{2, 4, 1, 0});
  CHECK(file.spread.high == std::vector<double>{2, 8, 1, 0});
  CHECK(file.spread.variance == std::vector<double>{0, 3, 0, 0});  // (9 + 3 * 1) / 4
  CHECK(file.spread.mean_variance(file.samples) == doctest::Approx(12.0 / 8));
  CHECK(region::parse_points("1,2\n2,4\n3,1\n5,0\n", "points.csv").spread.empty());
}

TEST_CASE("points in memory are prepared as those of a file") {
  const region::PointsFile file =
      region::prepare_points({{3, 2, 1, 5, 2}, {1, 4, 2, 0, 8}, {}}, "p");
  CHECK(file.samples.x == std::vector<double>{1, 2, 3, 5});
  CHECK(file.samples.y == std::vector<double>{2, 6, 1, 0});
  CHECK(file.samples.weight == std::vector<double>{1, 2, 1, 1});
  CHECK(file.notes.size() == 2);
  const auto message = [](region::Samples samples) {
    return message_of([&] { region::prepare_points(std::move(samples), "p"); });
  };
  CHECK(contains(message({{1, 2, 3, 4}, {1, 2, 3}, {}}), "differ in length"));
  CHECK(contains(message({{1, 2, 3, 4}, {1, 2, 3, 4}, {1}}), "differ in length"));
  CHECK(contains(message({{1, 2, 3, NAN}, {1, 2, 3, 4}, {}}), "`x`: number 3 is nan"));
  CHECK(contains(message({{1, 2, 3, 4}, {1, INFINITY, 3, 4}, {}}), "`y`: number 1 is inf"));
  CHECK(contains(message({{1, 2, 3, 4}, {1, 2, 3, 4}, {1, 1, 0, 1}}), "`weight`: number 2 is 0"));
  CHECK(contains(message({{1, 2, 3}, {1, 2, 3}, {}}), "p: 3 points of different x"));
}

TEST_CASE("columns whose squares are no float64 numbers are refused by name") {
  const std::vector<double> x = {1, 2, 3, 5}, y = {2, 0, 1, 0};
  const auto scaled = [](std::vector<double> values, double scale) {
    for (double& value : values) value *= scale;
    return values;
  };
  const auto message = [&](double x_scale, double y_scale, const region::ChosenColumns& chosen) {
    return message_of([&] {
      region::require_moderate({scaled(x, x_scale), scaled(y, y_scale), {}}, "p.csv", chosen);
    });
  };
  for (const double scale : {1e-149, 1.0, 1e149}) {
    CHECK_NOTHROW(region::require_moderate({scaled(x, scale), scaled(y, scale), {}}, "p.csv"));
    CHECK_NOTHROW(region::require_moderate({scaled(x, scale), {0, 0, 0, 0}, {}}, "p.csv"));
  }
  CHECK(contains(message(1, 1e160, {}), "p.csv: y reaches 2e+160"));
  CHECK(contains(message(1, -1e160, {"", "price", ""}), "p.csv: column 'price' reaches 2e+160"));
  CHECK(contains(message(1, 1e-160, {}), "p.csv: y changes by 2e-160"));
  CHECK(contains(message(1e160, 1, {}), "p.csv: x reaches 5e+160"));
  CHECK(contains(message(1e-160, 1, {"2", "", ""}), "p.csv: column '2' changes by 4e-160"));
  CHECK(contains(message(1e-110, 1e110, {}), "too steep for float64"));
}

TEST_CASE("where one point is enough, none is not") {
  CHECK(region::parse_points("1,2\n1,4\n", "p.csv", {}, 1).samples.y == std::vector<double>{3});
  CHECK(contains(message_of([] { region::parse_points("x,y\n", "p.csv", {}, 1); }),
                 "p.csv: 0 points of different x, one is needed"));
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
  CHECK(contains(message("1,1\n1,2\n1,3\n1,4\n"), "1 point of different x"));
  CHECK(contains(message(""), "0 points"));
  CHECK_THROWS_AS(region::parse_points("0,1\nx,y\n", "points.csv"), base::DataError);
}

}  // namespace
}  // namespace asap::test
