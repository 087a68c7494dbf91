#include "region/pieces/huber.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/pieces/free_knots.h"

namespace asap::test {
namespace {

TEST_CASE("outliers pull squares, but hardly Huber's loss") {
  base::RandomStream random(9, base::RandomPurpose::test);
  region::Samples samples;
  const auto truth = [](double x) { return x < 4 ? x : 8 - x; };
  for (int i = 0; i < 200; ++i) {
    const double x = i / 20.0;
    samples.x.push_back(x);
    samples.y.push_back(truth(x) + 0.1 * random.normal() + (i % 13 == 0 ? 20 : 0));
  }
  const auto error = [&](const region::PiecewiseLinear& line) {
    double sum = 0;
    for (const double x : samples.x) sum += std::pow(line(x) - truth(x), 2);
    return std::sqrt(sum / 200);
  };
  const region::PiecewiseLinear squares = region::best_piecewise(samples, 2).function;
  const region::PiecewiseLinear start =
      region::best_piecewise(region::with_huber_weights(samples), 2).function;
  CHECK(error(squares) > 1);
  CHECK(error(region::huber_refined(start, samples)) < 0.05);
}

}  // namespace
}  // namespace asap::test
