#include "region/target/formula.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

TEST_CASE("formulas have the usual functions and constants") {
  CHECK(region::compile_formula("x^11")(0.5) == doctest::Approx(std::pow(0.5, 11)));
  CHECK(region::compile_formula("log(x)")(2) == doctest::Approx(std::log(2)));
  CHECK(region::compile_formula("softplus(10*x)")(-100) == doctest::Approx(0));
  CHECK(region::compile_formula("softplus(10*x)")(100) == doctest::Approx(1000));
  CHECK(region::compile_formula("sin(pi*x) + e")(0.5) == doctest::Approx(1 + std::exp(1)));
  CHECK(region::compile_formula("abs(x) + relu(-x)")(-3) == 6);
}

TEST_CASE("mistakes in formulas are named with their column") {
  const auto message = [](const char* text) {
    return message_of([&] { region::compile_formula(text); });
  };
  CHECK(contains(message("sin(x"), "column"));
  CHECK(contains(message("2*y+1"), "column 3"));
  CHECK(contains(message("foo(x)"), "column 1"));
  CHECK(!message("").empty());
  CHECK(contains(message("x, 2*x"), "2 results"));
  CHECK_THROWS_AS(region::compile_formula("x +"), base::UsageError);
}

}  // namespace
}  // namespace asap::test
