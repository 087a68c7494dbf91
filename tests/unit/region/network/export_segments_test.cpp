#include "region/network/export_segments.h"

#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

const region::PiecewiseLinear kTent{{-1, 0.1, 3}, {0, 1.0 / 3, -2}};

TEST_CASE("segments hold every knot with the line that begins there") {
  std::istringstream csv(region::segments_csv(kTent));
  std::string header, line;
  std::getline(csv, header);
  CHECK(header == "x,y,slope,intercept");
  for (const double at : {-1.0, 0.1, 3.0}) {
    std::getline(csv, line);
    double x = 0, y = 0, slope = 0, intercept = 0;
    char comma = 0;
    std::istringstream(line) >> x >> comma >> y >> comma >> slope >> comma >> intercept;
    CHECK(x == at);
    CHECK(y == kTent(at));
    CHECK(slope * x + intercept == doctest::Approx(y));
  }
  const io::Json json = region::segments_json(kTent);
  CHECK(json["x"] == kTent.x);
  CHECK(json["y"] == kTent.y);
  CHECK(json["slope"][0] == json["slope"][0].get<double>());
  CHECK(json["slope"][1] == json["slope"][2]);
}

TEST_CASE("a lookup table is the interpolation at even places") {
  const region::PiecewiseLinear table = region::lookup_pieces(kTent, 8);
  CHECK(table.pieces() == 8);
  for (int i = 0; i <= 8; ++i) CHECK(table.y[static_cast<std::size_t>(i)] == kTent(-1 + i * 0.5));
  CHECK(region::largest_difference(kTent, table) ==
        doctest::Approx(std::abs(kTent(0.1) - table(0.1))));
  CHECK_THROWS_AS(region::export_lookup_table(kTent, 0, "f", ""), base::UsageError);
  CHECK(contains(region::export_lookup_table(kTent, 8, "f", ""), "f_table[9]"));
}

}  // namespace
}  // namespace asap::test
