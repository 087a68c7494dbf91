#include "region/certify/jet.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/certify/expression.h"
#include "region/target/formula.h"

namespace asap::test {
namespace {

using region::Enclosure;
using region::Jet;

TEST_CASE("jets hold values, slopes and curvatures of every function") {
  base::RandomStream random(3, base::RandomPurpose::test);
  for (const char* const formula : {"x^2",
                                    "x^3",
                                    "x^-2",
                                    "x^4-x*x*x",
                                    "abs(x)^.3",
                                    "abs(x)^2.5",
                                    "2^x",
                                    "(2+x)^x",
                                    "1/(1+x^2)",
                                    "sin(5*x)",
                                    "cos(3*x)",
                                    "tan(x)",
                                    "asin(x/3)",
                                    "acos(x/3)",
                                    "atan(x)",
                                    "sinh(x)",
                                    "cosh(x)",
                                    "tanh(x)",
                                    "asinh(x)",
                                    "acosh(3+x)",
                                    "atanh(x/3)",
                                    "ln(x+2.5)",
                                    "log(x+2.5)",
                                    "log2(x+2.5)",
                                    "log10(x+2.5)",
                                    "exp(-x)",
                                    "sqrt(x+2)",
                                    "abs(x-.5)",
                                    "sign(x)",
                                    "rint(3*x)",
                                    "softplus(9*x)",
                                    "relu(x)*x",
                                    "sigmoid(9*x)",
                                    "min(x, 1-x, x^2)",
                                    "max(x, sin(x))",
                                    "sum(x, x^2, 1)",
                                    "avg(x, x^3)",
                                    "x<0 ? x : x^2",
                                    "x>0 && x<1 || x==-1 ? x : -x",
                                    "-x^2",
                                    "+x",
                                    "pi*x-e",
                                    "x!=0 ? sin(x)/x : 1",
                                    "x<=.5 ? 0 : 1",
                                    "(x>=.5)*x"}) {
    CAPTURE(std::string(formula));
    const numerics::Curve f = region::compile_formula(formula);
    const region::Expression expression(formula);
    int known = 0;
    for (int trial = 0; trial < 300; ++trial) {
      const double low = random.uniform(-2, 2), width = std::pow(10.0, random.uniform(-3, 0));
      const Jet jet = expression.on({low, low + width});
      const double middle = low + width * random.uniform(0.3, 0.7);
      const double step = 0.3 * width * random.uniform(0.1, 1.0);
      const double before = f(middle - step), at = f(middle), after = f(middle + step);
      // Rounding of the points and of the values.
      const double size = 4e-15 * (1 + std::abs(at) + std::abs(before) + std::abs(after));
      CHECK(at >= jet.value.low - size);
      CHECK(at <= jet.value.high + size);
      const double slope = (after - before) / (2 * step);
      CHECK(slope >= jet.slope.low - size / step);
      CHECK(slope <= jet.slope.high + size / step);
      const double curvature = (after - 2 * at + before) / (step * step);
      CHECK(curvature >= jet.curvature.low - size / (step * step));
      CHECK(curvature <= jet.curvature.high + size / (step * step));
      known += std::isfinite(jet.slope.magnitude());
    }
    CHECK(known > 60);
  }
}

TEST_CASE("narrow enclosures are nearly exact") {
  const Jet jet = region::Expression("x^3 - exp(x)*sin(x)").on({0.5, 0.5 + 1e-9});
  CHECK(jet.value.high - jet.value.low < 1e-8);
  CHECK(jet.slope.low == doctest::Approx(0.75 - std::exp(.5) * (std::sin(.5) + std::cos(.5))));
  CHECK(jet.curvature.low == doctest::Approx(3 - 2 * std::exp(.5) * std::cos(.5)).epsilon(1e-7));
}

TEST_CASE("corners and jumps are not given derivatives") {
  CHECK(std::isinf(region::Expression("abs(x)").on({-1, 1}).curvature.magnitude()));
  CHECK(region::Expression("abs(x)").on({-1, 1}).slope.magnitude() == 1);
  CHECK(std::isinf(region::Expression("sign(x)").on({-1, 1}).slope.magnitude()));
  CHECK(std::isinf(region::Expression("x<0 ? 0 : x").on({-1, 1}).slope.magnitude()));
  CHECK(std::isinf(region::Expression("1/x").on({-1, 1}).value.magnitude()));
  CHECK(std::isinf(region::Expression("tan(x)").on({1, 2}).value.magnitude()));
}

TEST_CASE("operations with infinite ends stay enclosures") {
  const Enclosure all = Enclosure::everything(), zero{0, 0}, one = Enclosure::point(1);
  CHECK((all * zero).magnitude() < 1e-300);
  CHECK(std::isinf((all + one).high));
  CHECK(std::isinf((one / Enclosure{0, 1}).high));
  CHECK((one / Enclosure{0, 2}).low <= .5);
  CHECK(region::exponential({-1e4, 0}).low == 0);
  CHECK(std::isinf(region::exponential({0, 1e4}).high));
  CHECK(region::sine({0, 1e9}).high == 1);
}

}  // namespace
}  // namespace asap::test
