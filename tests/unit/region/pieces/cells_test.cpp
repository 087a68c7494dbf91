#include "region/pieces/cells.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"

namespace asap::test {
namespace {

double cost_of(const region::Cells& cells, double value, double slope) {
  double cost = 0;
  for (const region::Cell& cell : cells) cost += cell.cost(value + slope * cell.x, slope);
  return cost;
}

TEST_CASE("joined points have the squared error of the points for every line") {
  base::RandomStream random(3, base::RandomPurpose::test);
  region::Samples samples;
  double x = 0;
  for (int i = 0; i < 5000; ++i) {
    samples.x.push_back(x += random.uniform(0, i % 50 == 0 ? 40 : 1));
    samples.y.push_back(random.normal());
    samples.weight.push_back(random.uniform(0.1, i % 70 == 0 ? 300 : 2));
  }
  const region::Cells joined = region::cells_of(samples, 200);
  CHECK(joined.size() <= 600);
  CHECK(joined.size() >= 200);
  CHECK(region::cells_of(samples, 5000).size() == 5000);
  for (const double slope : {-0.3, 0.0, 2.0}) {
    double cost = 0;
    for (std::int64_t i = 0; i < samples.size(); ++i) {
      const double error = 0.7 + slope * samples.x[i] - samples.y[i];
      cost += samples.weight_at(i) * error * error;
    }
    CHECK(cost_of(joined, 0.7, slope) == doctest::Approx(cost).epsilon(1e-12));
  }
}

TEST_CASE("cells of a function integrate the squared error, and cuts keep it for a line") {
  const region::Cells cells = region::cells_of([](double x) { return std::exp(x); }, {0, 1}, 64);
  // integral of (1 + x - e^x)^2 over [0, 1] = (e^2 - 1) / 2 - 2 e + 7 / 3
  const double exact = (std::exp(2.0) - 1) / 2 - 2 * std::exp(1.0) + 7.0 / 3;
  CHECK(cost_of(cells, 1, 1) == doctest::Approx(exact).epsilon(1e-10));
  const region::Cells line = region::cells_of([](double x) { return 3 * x - 1; }, {2, 4}, 1);
  const auto [left, right] = line[0].cut(2.5);
  for (const region::Cell& cell : {left, right}) CHECK(cell.cost(-1 + 3 * cell.x, 3) < 1e-28);
  CHECK(left.joined(right).cost(0, 0) == doctest::Approx(line[0].cost(0, 0)).epsilon(1e-12));
}

}  // namespace
}  // namespace asap::test
