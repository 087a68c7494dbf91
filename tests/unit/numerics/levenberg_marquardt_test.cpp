#include "numerics/levenberg_marquardt.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

namespace asap::test {
namespace {

/// Rosenbrock's valley as two residuals, (1 - x, 10 (y - x^2)); its minimum 0 is at (1, 1).
class Rosenbrock : public numerics::LeastSquaresModel {
 public:
  std::int64_t parameter_count() const override { return 2; }
  std::int64_t residual_count() const override { return 2; }
  void evaluate(tensor::VectorView<const double> p, tensor::VectorView<double> r) override {
    x_ = p[0];
    r[0] = 1 - p[0];
    r[1] = 10 * (p[1] - p[0] * p[0]);
  }
  void jacobian(tensor::MatrixView<double> j) override {
    j(0, 0) = -1;
    j(0, 1) = -20 * x_;
    j(1, 0) = 0;
    j(1, 1) = 10;
  }

 private:
  double x_ = 0;
};

/// One residual, log(p): no start that is not positive has a cost.
class Logarithm : public numerics::LeastSquaresModel {
 public:
  std::int64_t parameter_count() const override { return 1; }
  std::int64_t residual_count() const override { return 1; }
  void evaluate(tensor::VectorView<const double> p, tensor::VectorView<double> r) override {
    p_ = p[0];
    r[0] = std::log(p[0]);
  }
  void jacobian(tensor::MatrixView<double> j) override { j(0, 0) = 1 / p_; }
  void constrain(tensor::VectorView<double> p) const override { p[0] = std::max(p[0], 0.5); }

 private:
  double p_ = 1;
};

TEST_CASE("Levenberg-Marquardt reaches the end of Rosenbrock's valley") {
  Rosenbrock model;
  std::vector<double> p{-1.2, 1.0};
  const auto evidence = numerics::LevenbergMarquardt().minimise(model, p, {});
  CHECK(evidence.initial_cost == doctest::Approx(24.2));
  // Quadratic convergence: the last accepted step leaves a cost near rounding, squared.
  CHECK(evidence.final_cost < 1e-20);
  CHECK(std::abs(p[0] - 1) < 1e-9);
  CHECK(std::abs(p[1] - 1) < 1e-9);
  CHECK(evidence.converged);
  CHECK(evidence.iterations < 60);
}

TEST_CASE("Levenberg-Marquardt never leaves a worse point than it was given") {
  Rosenbrock model;
  for (int limit = 0; limit < 12; ++limit) {
    std::vector<double> p{-1.2, 1.0};
    numerics::LevenbergMarquardtOptions options;
    options.max_iterations = limit;
    const auto evidence = numerics::LevenbergMarquardt().minimise(model, p, options);
    std::vector<double> r(2);
    model.evaluate(p, r);
    CHECK(evidence.final_cost <= evidence.initial_cost);
    CHECK(r[0] * r[0] + r[1] * r[1] == doctest::Approx(evidence.final_cost).epsilon(1e-14));
    CHECK(evidence.iterations <= limit);
  }
}

TEST_CASE("Levenberg-Marquardt keeps to the constraint and refuses a start without a finite cost") {
  Logarithm model;
  std::vector<double> p{8.0};
  numerics::LevenbergMarquardt().minimise(model, p, {});
  CHECK(p[0] == doctest::Approx(1.0));
  std::vector<double> bad{0.0};
  CHECK_THROWS_AS(numerics::LevenbergMarquardt().minimise(model, bad, {}), base::NumericalError);
}

}  // namespace
}  // namespace asap::test
