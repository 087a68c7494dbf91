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

void TargetFlags::add_to(CLI::App& command, const std::string& x_flag) {
  command
      .add_option("--function", function,
                  "Formula of x, such as 'exp(-x)', or a built-in name: x3, x11")
      ->type_name("EXPR")
      ->group("Target");
  command.add_option("--data", data, "File of points: x, y and optionally a weight (CSV or TSV)")
      ->type_name("FILE")
      ->group("Target");
  const auto column = [&](const std::string& names, std::string& value, const char* help) {
    command.add_option(names, value, help)->type_name("NAME|N")->group("Target");
  };
  column(x_flag, columns.x,
         "Column of --data that is x: its name in the header, or its number from 1 (default: x in "
         "the header, or the first)");
  column("--y,--y-column", columns.y,
         "Column of --data that is y (default: y in the header, or the second)");
  column("--weight,--weight-column", columns.weight,
         "Column of --data with weights, inverse variances (default: weight in the header, or the "
         "third)");
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

void TargetFlags::require_data_for_columns() const {
  if (columns.any() && data.empty())
    throw base::UsageError("`x_column`, `y_column` and `weight_column` are columns of --data",
                           "leave them out, or give --data");
}

void TargetFlags::require_one() const {
  if (function.empty() == data.empty())
    throw base::UsageError(function.empty() ? "no target is given" : "two targets are given",
                           "give either --function 'x^3' or --data points.csv");
  require_data_for_columns();
}

region::PointsFile TargetFlags::points(std::string_view bytes) const {
  require_one();
  return region::data_points(bytes, data, bounds(), columns, 1);
}

region::Target TargetFlags::target() const {
  require_one();
  if (!data.empty()) return region::data_target(data, bounds(), columns);
  return region::function_target(function, bounds().value_or(numerics::Interval{}));
}

}  // namespace asap::relu_fit
