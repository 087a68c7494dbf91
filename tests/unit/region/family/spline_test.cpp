#include "region/family/spline.h"

#include <cmath>

#include <doctest/doctest.h>

#include "region/target/target.h"

namespace asap::test {
namespace {

TEST_CASE("the cubic spline is exact for cubic polynomials and fourth order otherwise") {
  const numerics::Curve cubic = [](double x) { return 2 + x - 3 * x * x + 0.5 * x * x * x; };
  const std::vector<double> x{-1, -0.5, 0.1, 1.3, 2, 3.5};
  std::vector<double> y;
  for (const double at : x) y.push_back(cubic(at));
  const region::CubicSpline spline(x, y);
  for (const double at : {-1.2, -0.9, 0.0, 0.7, 1.99, 3.6})
    CHECK(spline(at) == doctest::Approx(cubic(at)).epsilon(1e-12));
  const auto error = [](int count) {
    const region::Samples samples =
        region::even_samples([](double v) { return std::exp(v); }, {0, 1}, count);
    const region::CubicSpline s(samples.x, samples.y);
    double largest = 0;
    for (int i = 0; i <= 1000; ++i)
      largest = std::max(largest, std::abs(s(i / 1000.0) - std::exp(i / 1000.0)));
    return largest;
  };
  CHECK(error(41) < error(21) / 12);  // 16 in the limit
}

TEST_CASE("binning keeps weighted means and total weight") {
  region::Samples samples;
  for (int i = 0; i < 1000; ++i) {
    samples.x.push_back(i / 999.0);
    samples.y.push_back(3 * samples.x.back());
    samples.weight.push_back(1 + i % 3);
  }
  const region::Samples binned = region::bin_samples(samples, 50);
  CHECK(binned.size() == 50);
  CHECK(binned.total_weight() == doctest::Approx(samples.total_weight()));
  for (std::size_t b = 0; b < 50; ++b) CHECK(binned.y[b] == doctest::Approx(3 * binned.x[b]));
  CHECK(region::bin_samples(samples, 1000).x == samples.x);
}

}  // namespace
}  // namespace asap::test
