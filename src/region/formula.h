#pragma once

#include <string>

#include "region/curvature.h"

namespace asap {

/// A function of x from its text, through muparser: + - * / ^, sin, cos, tan, exp, ln, log
/// (natural), log10, log2, sqrt, abs, min, max, tanh, ..., the constants pi and e, and softplus,
/// relu, sigmoid. UsageError names the column of a mistake.
///
/// The curve owns its parser; copies share it, so one curve belongs to one thread. compile_formula
/// again for another thread.
Curve compile_formula(const std::string& text);

}  // namespace asap
