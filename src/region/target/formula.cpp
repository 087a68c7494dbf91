#include "region/target/formula.h"

#include <cmath>
#include <memory>
#include <numbers>

#include <muParser.h>

#include "base/error.h"

namespace asap::region {
namespace {

/// A parser and the variables it reads.
struct Formula {
  mu::Parser parser;
  std::vector<double> values;
};

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double relu_of(double x) { return x > 0 ? x : 0; }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double natural_log(double x) { return std::log(x); }

base::UsageError formula_error(const std::string& text, const mu::Parser::exception_type& error) {
  const auto place = static_cast<int>(error.GetPos());  // -1 when muParser knows none
  const std::string column = place < 0 ? "" : " at column " + std::to_string(place + 1);
  return base::UsageError("formula '" + text + "'" + column + ": " + error.GetMsg(),
                          "for example exp(x), x^11, sin(2*x)/x, abs(x)");
}

void define_language(mu::Parser& parser) {
  parser.DefineFun("softplus", softplus);
  parser.DefineFun("relu", relu_of);
  parser.DefineFun("sigmoid", sigmoid);
  parser.DefineFun("log", natural_log);  // muParser's own differs between versions
  parser.DefineConst("pi", std::numbers::pi);
  parser.DefineConst("e", std::numbers::e);
}

void define_variables(Formula& formula, const std::vector<std::string>& variables) {
  for (std::size_t i = 0; i < variables.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      if (variables[j] == variables[i])
        throw base::UsageError("variable '" + variables[i] + "' is named twice");
    try {
      formula.parser.DefineVar(variables[i], &formula.values[i]);
    } catch (const mu::Parser::exception_type& error) {
      throw base::UsageError("'" + variables[i] + "' cannot name a variable: " + error.GetMsg(),
                             "for example `inputs` x,y");
    }
  }
}

}  // namespace

Surface compile_formula(const std::string& text, const std::vector<std::string>& variables) {
  const auto formula = std::make_shared<Formula>();
  formula->values.resize(variables.size());
  try {
    define_language(formula->parser);
    define_variables(*formula, variables);
    formula->parser.SetExpr(text);
    formula->parser.Eval();
    if (formula->parser.GetNumResults() != 1)
      throw base::UsageError("formula '" + text + "' has " +
                                 std::to_string(formula->parser.GetNumResults()) +
                                 " results separated by commas",
                             variables.size() == 1 ? "one value for each x is expected"
                                                   : "one value for each point is expected");
  } catch (const mu::Parser::exception_type& error) {
    throw formula_error(text, error);
  }
  return [formula](std::span<const double> at) {
    base::check(at.size() == formula->values.size(), "formula: wrong number of variables");
    std::copy(at.begin(), at.end(), formula->values.begin());
    return formula->parser.Eval();
  };
}

numerics::Curve compile_formula(const std::string& text) {
  return [f = compile_formula(text, std::vector<std::string>{"x"})](double x) {
    return f({&x, 1});
  };
}

}  // namespace asap::region
