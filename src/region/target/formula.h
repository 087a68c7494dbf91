#pragma once

#include <span>
#include <string>
#include <vector>

#include "numerics/curve.h"
#include "region/family/curvature.h"

namespace asap::region {

/// Compiles a function of x from its text with muParser: + - * / ^, sin, cos, tan, exp, ln, log
/// (natural), log10, log2, sqrt, abs, min, max, tanh, ..., softplus, relu, sigmoid and the
/// constants pi and e. UsageError names the column of a mistake.
///
/// The curve owns its parser and copies share it, so a curve belongs to one thread. Compile the
/// formula again for another thread.
numerics::Curve compile_formula(const std::string& text);

/// One step of a formula in postfix order.
struct FormulaStep {
  enum class Kind { number, variable, call };
  Kind kind = Kind::number;
  double number = 0;
  /// Of a call: the name of a function, "negate", "select" (condition, value, other), "=", or an
  /// operator: + - * / ^ < > <= >= == != && ||.
  std::string name{};
  int arguments = 0;  ///< of a call
};

/// The formula of x as muParser compiled it: the values of its constant parts are float64 numbers.
std::vector<FormulaStep> formula_steps(const std::string& text);

/// A function of several variables, in the order of their names.
using Surface = std::function<double(std::span<const double>)>;

/// The same language with variables of these names. UsageError also for a name that is not an
/// identifier, is given twice, or belongs to a function or constant.
Surface compile_formula(const std::string& text, const std::vector<std::string>& variables);

}  // namespace asap::region
