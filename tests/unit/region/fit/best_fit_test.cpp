#include "region/fit/best_fit.h"

#include <cmath>

#include <doctest/doctest.h>

#include "region/fit/methods.h"
#include "region/network/region_count.h"
#include "unit/region/fit/fit_targets.h"

namespace asap::test {
namespace {

TEST_CASE("method best is below the error of any 32 straight pieces, and guarded between samples") {
  const region::Target target = region::paper_points(region::paper_target("x3"));
  region::FitOptions options;
  options.starts = 4;
  options.first_hops = 2;
  options.last_hops = 4;
  options.threads = 2;
  options.continue_ends = false;
  const region::Fit fit = region::fit_network(target, options);
  CHECK(fit.network.parameter_count() == 93);
  const double dense = dense_error(region::function_target("x^3", {0, 1}), fit.network);
  CHECK(dense < 8.97e-9);
}

TEST_CASE("straight lines and corners are fitted exactly") {
  for (const char* formula : {"2*x+1", "3", "abs(x-0.3)"}) {
    const region::Target target = region::function_target(formula, {0, 1});
    const region::Fit fit = region::fit_network(target, {});
    CHECK(dense_error(target, fit.network) < 1e-28);
  }
  const region::Target line = region::function_target("2*x+1", {0, 1});
  CHECK(region::count_regions(region::fit_network(line, {}).network, {0, 1}).linear_regions == 1);
}

TEST_CASE("noisy points are recognised and fitted below the statistical bound of their noise") {
  const numerics::Curve square = [](double x) { return x * x; };
  const int count = 100000;
  const double deviation = 0.1;
  const region::Target target = noisy_target(square, count, deviation);
  CHECK(std::sqrt(target.noise_variance) == doctest::Approx(deviation).epsilon(0.03));
  const region::Fit fit = region::fit_network(target, {});
  const region::Samples truth = region::even_samples(square, target.interval, region::kDensePoints);
  std::vector<double> prediction(truth.x.size());
  fit.network.evaluate(truth.x, prediction);
  // Least squares of p parameters leaves variance * p / n on average; three times that, p = 17 of
  // the folded family, is allowed.
  CHECK(region::mean_squared_error(truth, prediction) < 3 * deviation * deviation * 17 / count);
}

}  // namespace
}  // namespace asap::test
