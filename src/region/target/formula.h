#pragma once

#include <span>
#include <string>
#include <vector>

#include "numerics/curve.h"
#include "region/family/curvature.h"

namespace asap::region {

/// A function of x from its text, through muparser: + - * / ^, sin, cos, tan, exp, ln, log
/// (natural), log10, log2, sqrt, abs, min, max, tanh, ..., the constants pi and e, and softplus,
/// relu, sigmoid. UsageError names the column of a mistake.
///
/// The curve owns its parser; copies share it, so one curve belongs to one thread. compile_formula
/// again for another thread.
numerics::Curve compile_formula(const std::string& text);

/// A function of several variables: values in the order of their names.
using Surface = std::function<double(std::span<const double>)>;

/// The same language with variables of these names. UsageError also when a name is no identifier,
/// is given twice, or is that of a function or constant.
Surface compile_formula(const std::string& text, const std::vector<std::string>& variables);

}  // namespace asap::region
