#include "region/formula.h"

#include <cmath>
#include <memory>
#include <numbers>

#include <muParser.h>

#include "base/error.h"

namespace asap {
namespace {

/// The parser and the variable it reads.
struct Formula {
  mu::Parser parser;
  double x = 0;
};

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double relu_of(double x) { return x > 0 ? x : 0; }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double natural_log(double x) { return std::log(x); }

UsageError formula_error(const std::string& text, const mu::Parser::exception_type& error) {
  const auto place = static_cast<int>(error.GetPos());  // -1 where muparser knows none
  const std::string column = place < 0 ? "" : " at column " + std::to_string(place + 1);
  return UsageError("formula '" + text + "'" + column + ": " + error.GetMsg(),
                    "for example exp(x), x^11, sin(2*x)/x, abs(x)");
}

}  // namespace

Curve compile_formula(const std::string& text) {
  const auto formula = std::make_shared<Formula>();
  try {
    mu::Parser& parser = formula->parser;
    parser.DefineFun("softplus", softplus);
    parser.DefineFun("relu", relu_of);
    parser.DefineFun("sigmoid", sigmoid);
    parser.DefineFun("log", natural_log);  // muparser's own differs between versions
    parser.DefineConst("pi", std::numbers::pi);
    parser.DefineConst("e", std::numbers::e);
    parser.DefineVar("x", &formula->x);
    parser.SetExpr(text);
    parser.Eval();
    if (parser.GetNumResults() != 1)
      throw UsageError("formula '" + text + "' has " + std::to_string(parser.GetNumResults()) +
                           " results separated by commas",
                       "one value for each x is expected");
  } catch (const mu::Parser::exception_type& error) {
    throw formula_error(text, error);
  }
  return [formula](double x) {
    formula->x = x;
    return formula->parser.Eval();
  };
}

}  // namespace asap
