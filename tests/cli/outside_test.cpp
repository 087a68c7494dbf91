// What networks of several inputs give outside the box that they were fitted on, end to end.
#include <cmath>
#include <sstream>
#include <vector>

#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::test;

namespace asap::test {
namespace {

struct Place {
  double x, y;
};

std::vector<double> values_at(const std::string& network, const std::vector<Place>& places) {
  std::ostringstream list;
  for (const Place& place : places)
    list << (list.tellp() > 0 ? "," : "") << place.x << "," << place.y;
  const Outcome outcome =
      run("relu-fit", {"eval", "--network", network, "--x", list.str(), "--json"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
  return io::Json::parse(outcome.out)["y"].get<std::vector<double>>();
}

TEST_CASE(
    "fitted raw weights hold outside the box along inputs, and go on straight along a ridge") {
  const Workspace work;
  const Outcome fitted =
      run("relu-fit", {"fit", "--function", "(x+y)^2", "--inputs", "x,y", "--interval", "-1", "1",
                       "--ridges", "1", "--depth", "2", "--fold", "2", "--points", "100", "--quiet",
                       "--out", (work / "fit").string()});
  REQUIRE_MESSAGE(fitted.code == 0, fitted.error);
  const io::Json summary = io::read_json(work / "fit" / "summary.json");
  // Not the folded ridge.
  REQUIRE(summary["methods"][0]["network"] == "1 ridge of depth 2, 2 pieces per level");
  const std::string network = work / "fit" / "network.json";

  // Outside along one input x + y is still where the fit has seen it.
  std::vector<Place> beside;
  for (const double far : {1.05, 1.15, 1.25})
    for (const double other : {-0.9, -0.6, -0.3})
      for (const double sign : {1.0, -1.0}) {
        beside.push_back({sign * far, sign * other});
        beside.push_back({sign * other, sign * far});
      }
  const std::vector<double> values = values_at(network, beside);
  // The largest error within the box is about as large.
  for (std::size_t i = 0; i < beside.size(); ++i)
    CHECK(std::abs(values[i] - std::pow(beside[i].x + beside[i].y, 2)) < 0.15);

  // Along the ridge the end pieces go on.
  for (const double sign : {1.0, -1.0}) {
    std::vector<Place> along;
    for (int k = 0; k <= 10; ++k) along.push_back({sign * (1 + 0.1 * k), sign * (1 + 0.1 * k)});
    const std::vector<double> line = values_at(network, along);
    CHECK(line[0] > 3);
    CHECK(line[1] > line[0] + 0.4);
    for (std::size_t k = 2; k < line.size(); ++k)
      CHECK(line[k] - line[k - 1] == doctest::Approx(line[1] - line[0]).epsilon(1e-9));
  }
}

}  // namespace
}  // namespace asap::test
