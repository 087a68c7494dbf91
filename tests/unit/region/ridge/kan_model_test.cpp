#include "region/ridge/kan_model.h"

#include <cmath>

#include <doctest/doctest.h>

#include "support/drawn_rows.h"

namespace asap::test {
namespace {

/// Cox and de Boor's recursion on knots low + k * step.
double b_spline(int degree, int k, double low, double step, double x) {
  if (degree == 0) return x >= low + k * step && x < low + (k + 1) * step ? 1 : 0;
  return (x - (low + k * step)) / (degree * step) * b_spline(degree - 1, k, low, step, x) +
         (low + (k + degree + 1) * step - x) / (degree * step) *
             b_spline(degree - 1, k + 1, low, step, x);
}

TEST_CASE("a Kolmogorov-Arnold network is its definition, splines by their recursion") {
  const region::Rows rows = drawn("x+y", 9, 0).rows;
  const int cells = 4;
  const region::KanShape shape{2, {3}, cells};
  region::KanModel model(rows, shape);
  base::RandomStream random(3, base::RandomPurpose::test);
  std::vector<double> parameters;
  for (std::int64_t p = 0; p < model.parameter_count(); ++p)
    parameters.push_back(0.2 * random.normal());
  const auto edge = [&](const double* own, double low, double high, double x) {
    const double step = (high - low) / cells;
    double value = own[0] * x / (1 + std::exp(-x));
    for (int m = 0; m < cells + 3; ++m)
      value += own[1 + m] * b_spline(3, m, low - 3 * step, step, x);
    return value;
  };
  const std::vector<double> values = model.predict(parameters, rows);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double* own = parameters.data();
    double hidden[3] = {0, 0, 0}, out = 0;
    for (double& h : hidden)
      for (int j = 0; j < 2; ++j, own += cells + 4) h += edge(own, -3, 3, rows.x[2 * i + j]);
    for (const double h : hidden) {
      REQUIRE(std::abs(h) < 2);
      out += edge(own, -2, 2, h);
      own += cells + 4;
    }
    CHECK(values[static_cast<std::size_t>(i)] == doctest::Approx(out).epsilon(1e-12));
  }
}

}  // namespace
}  // namespace asap::test
