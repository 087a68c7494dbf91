#include "compile/dual_fit.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "compile/descent_fit.h"

namespace asap::test {
namespace {

std::vector<double> fit_ridge(const std::vector<compile::FitSample>& samples, double ridge) {
  compile::RidgeRegression regression(samples[0].features.shape()[0]);
  for (const compile::FitSample& sample : samples)
    regression.add(sample.features.rows(), sample.target);
  return regression.solve(ridge);
}

std::vector<compile::FitSample> planted_samples(const std::vector<double>& weights, double noise) {
  base::RandomStream random(42, base::RandomPurpose::test);
  std::vector<compile::FitSample> samples;
  for (int s = 0; s < 6; ++s) {
    compile::FitSample sample{tensor::Tensor<double>({std::ssize(weights), 20}),
                              std::vector<double>(20, 0.0)};
    for (std::int64_t p = 0; p < std::ssize(weights); ++p)
      for (std::int64_t i = 0; i < 20; ++i) {
        sample.features.rows()(p, i) = random.normal();
        sample.target[i] += weights[p] * sample.features.rows()(p, i);
      }
    for (double& value : sample.target) value += noise * random.normal();
    samples.push_back(std::move(sample));
  }
  return samples;
}

TEST_CASE("Ridge regression recovers planted weights") {
  const std::vector<double> planted = {0.7, -1.3, 0, 2};
  const std::vector<double> found = fit_ridge(planted_samples(planted, 0), 0);
  // The pivot guard of 1e-12 shrinks weights by as much.
  for (std::size_t p = 0; p < planted.size(); ++p) CHECK(std::abs(found[p] - planted[p]) < 1e-10);
}

TEST_CASE(
    "The ridge is relative to the Gram matrix's diagonal: one feature shrinks by 1 / (1 + ridge)") {
  for (const double ridge : {1e-3, 0.5})
    CHECK(fit_ridge(planted_samples({3}, 0), ridge)[0] ==
          doctest::Approx(3 / (1 + ridge)).epsilon(1e-9));
}

TEST_CASE("A feature that never varies gets weight zero and disturbs nothing") {
  std::vector<compile::FitSample> samples = planted_samples({1, 2, 3}, 0);
  for (compile::FitSample& sample : samples) {
    for (std::int64_t i = 0; i < 20; ++i) {
      sample.target[i] -= 2 * sample.features.rows()(1, i);
      sample.features.rows()(1, i) = 0;
    }
  }
  const std::vector<double> found = fit_ridge(samples, 0);
  CHECK(std::abs(found[0] - 1) < 1e-10);
  CHECK(found[1] == 0);
  CHECK(std::abs(found[2] - 3) < 1e-10);
}

}  // namespace
}  // namespace asap::test
