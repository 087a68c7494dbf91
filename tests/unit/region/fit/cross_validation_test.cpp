#include "region/fit/cross_validation.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"

namespace asap::test {
namespace {

using region::Samples;

TEST_CASE("errors are of points left out, every fifth one but the ends") {
  Samples samples;
  for (int i = 0; i < 23; ++i) {
    samples.x.push_back(i * i);
    samples.y.push_back(std::sin(i));
    samples.weight.push_back(1 + i % 3);
  }
  // A search of constants: the number of pieces, whatever the points.
  const auto search = [](const Samples& training, int pieces, const region::EnoughPieces& enough) {
    CHECK(training.x.front() == 0);
    CHECK(training.x.back() == 22 * 22);
    std::vector<region::PiecewiseFit> fits;
    for (int p = 1; p <= pieces; ++p) {
      region::PiecewiseFit fit;
      for (int k = 0; k <= p; ++k) {
        fit.function.x.push_back(22.0 * 22 * k / p);
        fit.function.y.push_back(p);
      }
      fits.push_back(fit);
      if (enough(fits)) break;
    }
    return fits;
  };
  const std::map<int, double> errors = region::cross_validated(samples, 3, search);
  REQUIRE(errors.size() == 3);
  for (const auto& [pieces, error] : errors) {
    double sum = 0, total = 0;
    for (std::size_t i = 1; i < 22; ++i) {
      sum += samples.weight[i] * std::pow(pieces - samples.y[i], 2);
      total += samples.weight[i];
    }
    CHECK(error == doctest::Approx(sum / total));
  }
}

TEST_CASE("a season that BIC takes for noise is followed between its points") {
  base::RandomStream random(4, base::RandomPurpose::test);
  Samples samples;
  for (int i = 0; i < 200; ++i) {
    samples.x.push_back(i);
    samples.y.push_back(0.02 * i + std::sin(i / 3.0) + 0.1 * random.normal());
  }
  const std::map<int, double> errors = region::cross_validated(
      samples, 60, [](const Samples& points, int pieces, const region::EnoughPieces& enough) {
        return region::free_knots(region::cells_of(points, 1000), pieces, enough);
      });
  double least = errors.at(1);
  for (const auto& [pieces, error] : errors) least = std::min(least, error);
  CHECK(errors.at(1) > 0.4);
  CHECK(least < 0.06);
}

TEST_CASE("fixed fits have the error of points left out, and the better one is surely better") {
  Samples samples;
  base::RandomStream random(5, base::RandomPurpose::test);
  for (int i = 0; i < 100; ++i) {
    samples.x.push_back(i);
    samples.y.push_back(random.normal());
  }
  const auto level = [](double y) { return region::PiecewiseLinear{{0, 99}, {y, y}}; };
  const auto two = [&](const Samples&) { return std::vector{level(2), level(0)}; };
  double squares = 0;
  for (std::size_t i = 1; i < 99; ++i) squares += samples.y[i] * samples.y[i];
  CHECK(region::cross_validated(samples, region::LineFits(two))[1] ==
        doctest::Approx(squares / 98));
  // Gains of 4 - 4y: the standard errors in their mean, in two passes.
  double mean = 0, variance = 0;
  for (std::size_t i = 1; i < 99; ++i) mean += (4 - 4 * samples.y[i]) / 98;
  for (std::size_t i = 1; i < 99; ++i) variance += std::pow(4 - 4 * samples.y[i] - mean, 2) / 98;
  CHECK(region::sureness_of_second(samples, two) ==
        doctest::Approx(mean / std::sqrt(variance / 98)));
  const auto swapped = [&](const Samples&) { return std::vector{level(0), level(2)}; };
  CHECK(region::sureness_of_second(samples, swapped) == 0);
  CHECK(region::cross_validated({{0, 1}, {0, 1}, {}}, region::LineFits(two)).empty());
}

}  // namespace
}  // namespace asap::test
