#include "region/target/formula.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/text.h"
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

/// A formula in postfix order as text.
std::string postfix(const char* formula) {
  std::string text;
  for (const region::FormulaStep& step : region::formula_steps(formula)) {
    text += text.empty() ? "" : " ";
    if (step.kind == region::FormulaStep::Kind::number)
      text += base::format_number(step.number);
    else if (step.kind == region::FormulaStep::Kind::variable)
      text += "x";
    else
      text += step.name + ":" + std::to_string(step.arguments);
  }
  return text;
}

TEST_CASE("the steps of a formula are those that muParser computes") {
  CHECK(postfix("x^3") == "x 3 ^:2");
  CHECK(postfix("2*x+1") == "2 x *:2 1 +:2");
  CHECK(postfix("-sin(x)") == "x sin:1 negate:1");
  CHECK(postfix("x<0 ? 1/2 : exp(x)") == "x 0 <:2 0.5 x exp:1 select:3");
  CHECK(postfix("max(x, 3, x/2)") == "x 3 x 2 /:2 max:3");
  CHECK(postfix("x>=1 && x!=2 || x<=0") == "x 1 >=:2 x 2 !=:2 &&:2 x 0 <=:2 ||:2");
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

TEST_CASE("the notation of other languages is answered with ours") {
  const auto hint = [](const char* text, std::vector<std::string> variables = {"x"}) {
    try {
      region::compile_formula(text, variables);
    } catch (const base::UsageError& error) {
      return error.hint();
    }
    return std::string();
  };
  CHECK(hint("x**2") == "powers are written with ^: x^2");
  CHECK(hint("x**2 + 3*x**3") == "powers are written with ^: x^2 + 3*x^3");
  for (const char* text : {"if(x<0, 0, x)", "if (x<0) 0 else x", "1 + if(x, 1, 2)"})
    CHECK_MESSAGE(contains(hint(text), "x<0 ? 0 : x"), text);
  CHECK(hint("2x") == "products are written with *: 2*x");
  CHECK(hint("1+2.5x") == "products are written with *: 1+2.5*x");
  CHECK(hint("3(x+1)+2sin(x)") == "products are written with *: 3*(x+1)+2*sin(x)");
  CHECK(hint("x*y") == "name all variables: `inputs` x,y");
  CHECK(hint("sin(a) + b*x", {"x", "a"}) == "name all variables: `inputs` a,b,x");
  CHECK(hint("2e5*z") == "name all variables: `inputs` z");
  CHECK(contains(hint("sin(x"), "for example"));
  CHECK(contains(hint("log10(x"), "for example"));
}

}  // namespace
}  // namespace asap::test
