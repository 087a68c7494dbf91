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

}  // namespace
}  // namespace asap::test
