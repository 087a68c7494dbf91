#include "relu_fit/target_flags.h"

#include "base/error.h"
#include "region/target/formula.h"

namespace asap::relu_fit {
namespace {

double bound(const std::string& text) {
  const numerics::Curve f = region::compile_formula(text);
  const double value = f(0.25);
  if (value != f(0.75))
    throw base::UsageError("--interval '" + text + "' depends on x",
                           "for example --interval 0 2*pi");
  return value;
}

}  // namespace

void TargetFlags::add_to(CLI::App& command) {
  command
      .add_option("--function", function,
                  "Formula of x, such as 'exp(-x)', or a built-in name: x3, x11")
      ->type_name("EXPR")
      ->group("Target");
  command.add_option("--data", data, "File of points: x, y and optionally a weight (CSV or TSV)")
      ->type_name("FILE")
      ->group("Target");
  command
      .add_option("--interval", interval,
                  "Ends of the interval: numbers or constants such as 2*pi (default: 0 1 for a "
                  "function, all points of a file)")
      ->type_name("LO HI")
      ->expected(2)
      ->group("Target");
}

std::optional<numerics::Interval> TargetFlags::bounds() const {
  if (interval.empty()) return std::nullopt;
  return numerics::Interval{bound(interval[0]), bound(interval[1])};
}

region::Target TargetFlags::target() const {
  if (function.empty() == data.empty())
    throw base::UsageError(function.empty() ? "no target is given" : "two targets are given",
                           "give either --function 'x^3' or --data points.csv");
  if (!data.empty()) return region::data_target(data, bounds());
  return region::function_target(function, bounds().value_or(numerics::Interval{}));
}

}  // namespace asap::relu_fit
