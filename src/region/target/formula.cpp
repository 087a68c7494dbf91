#include "region/target/formula.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <numbers>

#include <muParser.h>

#include "base/counted.h"
#include "base/error.h"
#include "base/text.h"

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
double negate(double x) { return -x; }

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// "2*x" for a formula in which a name or bracket follows a number: 2x, 3(x+1); else "".
std::string with_product(const std::string& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (!is_digit(text[i - 1]) || !(is_letter(text[i]) || text[i] == '(')) continue;
    const auto before = text.find_last_not_of("0123456789.", i - 1);
    if (before != text.npos && is_letter(text[before])) continue;  // the number ends a name: x2(
    const bool exponent = (text[i] == 'e' || text[i] == 'E') && i + 1 < text.size() &&
                          (is_digit(text[i + 1]) || text[i + 1] == '-' || text[i + 1] == '+');
    if (exponent) continue;  // 2e5
    const std::string product = text.substr(0, i) + "*" + text.substr(i);
    const std::string more = with_product(product);
    return more.empty() ? product : more;
  }
  return "";
}

/// Names in a formula that are no functions and not in `known`.
std::vector<std::string> other_names(const std::string& text,
                                     const std::vector<std::string>& known) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && (is_letter(text[end]) || (end > i && is_digit(text[end])))) ++end;
    if (end == i) {
      ++i;
      continue;
    }
    const std::string name = text.substr(i, end - i);
    const std::size_t next = text.find_first_not_of(' ', end);
    const bool called = next != text.npos && text[next] == '(';
    const bool after_digit = i > 0 && is_digit(text[i - 1]);
    if (!called && !after_digit && name != "pi" && name != "e" &&
        std::ranges::find(known, name) == known.end() &&
        std::ranges::find(names, name) == names.end())
      names.push_back(name);
    i = end;
  }
  return names;
}

/// What the author of a formula in another language's notation needs.
std::string formula_hint(const std::string& text, const std::vector<std::string>& variables) {
  if (const std::size_t power = text.find("**"); power != text.npos) {
    std::string mended = text;
    for (std::size_t at = power; at != mended.npos; at = mended.find("**", at))
      mended.replace(at, 2, "^");
    return "powers are written with ^: " + mended;
  }
  const std::size_t choice = text.find("if");
  if (choice != text.npos && (choice == 0 || !is_letter(text[choice - 1])) &&
      text.find_first_not_of(' ', choice + 2) != text.npos &&
      text[text.find_first_not_of(' ', choice + 2)] == '(')
    return "a choice is written CONDITION ? VALUE : OTHER, as in x<0 ? 0 : x";
  if (const std::string product = with_product(text); !product.empty())
    return "products are written with *: " + product;
  if (!other_names(text, variables).empty())
    return "name all variables: `inputs` " + base::join(other_names(text, {}), ",");
  return "for example exp(x), x^11, sin(2*x)/x, abs(x)";
}

base::UsageError formula_error(const std::string& text, const std::vector<std::string>& variables,
                               const mu::Parser::exception_type& error) {
  const auto place = static_cast<int>(error.GetPos());  // -1 when muParser knows none
  const std::string column = place < 0 ? "" : " at column " + std::to_string(place + 1);
  return base::UsageError("formula '" + text + "'" + column + ": " + error.GetMsg(),
                          formula_hint(text, variables));
}

void define_language(mu::Parser& parser) {
  parser.DefineFun("softplus", softplus);
  parser.DefineFun("relu", relu_of);
  parser.DefineFun("sigmoid", sigmoid);
  parser.DefineFun("log", natural_log);  // muParser's own differs between versions
  parser.DefineInfixOprt("-", negate);   // an address that formula_steps() knows
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

/// Parses a formula of one value.
std::shared_ptr<Formula> parse(const std::string& text, const std::vector<std::string>& variables) {
  auto formula = std::make_shared<Formula>();
  formula->values.resize(variables.size());
  try {
    define_language(formula->parser);
    define_variables(*formula, variables);
    formula->parser.SetExpr(text);
    formula->parser.Eval();
    if (formula->parser.GetNumResults() != 1)
      throw base::UsageError("formula '" + text + "' has " +
                                 base::counted(formula->parser.GetNumResults(), "result") +
                                 " separated by commas",
                             variables.size() == 1 ? "one value for each x is expected"
                                                   : "one value for each point is expected");
  } catch (const mu::Parser::exception_type& error) {
    throw formula_error(text, variables, error);
  }
  return formula;
}

/// The name of the operator of a command, or nullptr.
const char* operator_name(mu::ECmdCode code) {
  switch (code) {
    case mu::cmLE:
      return "<=";
    case mu::cmGE:
      return ">=";
    case mu::cmNEQ:
      return "!=";
    case mu::cmEQ:
      return "==";
    case mu::cmLT:
      return "<";
    case mu::cmGT:
      return ">";
    case mu::cmADD:
      return "+";
    case mu::cmSUB:
      return "-";
    case mu::cmMUL:
      return "*";
    case mu::cmDIV:
      return "/";
    case mu::cmPOW:
      return "^";
    case mu::cmLAND:
      return "&&";
    case mu::cmLOR:
      return "||";
    case mu::cmASSIGN:
      return "=";
    default:
      return nullptr;
  }
}

/// The steps of muParser's commands.
class StepWriter {
 public:
  explicit StepWriter(const mu::Parser& parser) {
    for (const auto& [name, callback] : parser.GetFunDef()) names_[callback.GetAddr()] = name;
    names_[reinterpret_cast<void*>(&negate)] = "negate";
  }

  void add(const mu::SToken& token) {
    switch (token.Cmd) {
      case mu::cmVAL:
        return number(token.Val.data2);
      case mu::cmVAR:
        return variable();
      case mu::cmVARPOW2:
        return power(2);
      case mu::cmVARPOW3:
        return power(3);
      case mu::cmVARPOW4:
        return power(4);
      case mu::cmVARMUL:
        return line(token.Val.data, token.Val.data2);
      case mu::cmENDIF:
        return call("select", 3);
      case mu::cmFUNC:
        return call(names_.at(reinterpret_cast<void*>(token.Fun.cb._pRawFun)),
                    std::abs(token.Fun.argc));
      default:  // cmIF, cmELSE and cmEND leave values where they are
        if (const char* const name = operator_name(token.Cmd)) call(name, 2);
    }
  }

  std::vector<FormulaStep> take() { return std::move(steps_); }

 private:
  void number(double value) { steps_.push_back({FormulaStep::Kind::number, value}); }
  void variable() { steps_.push_back({FormulaStep::Kind::variable}); }
  void call(const std::string& name, int arguments) {
    steps_.push_back({FormulaStep::Kind::call, 0, name, arguments});
  }
  void power(int exponent) {
    variable();
    number(exponent);
    call("^", 2);
  }
  /// factor * x + shift
  void line(double factor, double shift) {
    number(factor);
    variable();
    call("*", 2);
    number(shift);
    call("+", 2);
  }

  std::map<void*, std::string> names_;
  std::vector<FormulaStep> steps_;
};

}  // namespace

std::vector<FormulaStep> formula_steps(const std::string& text) {
  const std::shared_ptr<Formula> formula = parse(text, {"x"});
  const mu::ParserByteCode& code = formula->parser.GetByteCode();
  StepWriter writer(formula->parser);
  for (std::size_t i = 0; i < code.GetSize(); ++i) writer.add(code.GetBase()[i]);
  return writer.take();
}

Surface compile_formula(const std::string& text, const std::vector<std::string>& variables) {
  return [formula = parse(text, variables)](std::span<const double> at) {
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
