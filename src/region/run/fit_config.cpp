#include "region/run/fit_config.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "region/network/export_c.h"

namespace asap::region {
namespace {

std::pair<double, double> two_numbers(const std::string& field, std::string_view text,
                                      const char* names, const char* example) {
  const std::vector<std::string> parts = base::split(text, ',');
  if (parts.size() == 2) {
    const auto first = base::parse_number<double>(base::trim(parts[0]));
    const auto second = base::parse_number<double>(base::trim(parts[1]));
    if (first && second && !std::isnan(*first) && !std::isnan(*second)) return {*first, *second};
  }
  throw base::UsageError(
      field + " " + std::string(text) + ": two numbers " + names + " are expected",
      std::string("for example ") + example);
}

/// Bounds in ascending order, of which one may be infinite.
std::pair<double, double> bounds(const std::string& field, const std::string& text) {
  const auto [low, high] =
      two_numbers(field, text, "LO,HI", "0,1, or 0,inf without an upper bound");
  if (!(low <= high) || low == PiecesConstraints::kInfinite ||
      high == -PiecesConstraints::kInfinite)
    throw base::UsageError(field + " " + text + ": no number is between these bounds",
                           "give the lower bound first");
  return {low, high};
}

using ShapeKind = ShapeConstraint::Kind;
constexpr std::pair<const char*, ShapeKind> kShapes[] = {{"increasing", ShapeKind::increasing},
                                                         {"decreasing", ShapeKind::decreasing},
                                                         {"convex", ShapeKind::convex},
                                                         {"concave", ShapeKind::concave}};

/// A shape on a part of x: KIND:LO,HI.
ShapeConstraint partial_shape(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string word = text.substr(0, colon);
  std::vector<std::string> names;
  for (const auto& [name, kind] : kShapes) {
    names.emplace_back(name);
    if (word != name) continue;
    if (colon == text.size())
      throw base::UsageError("`shape` " + text + ": KIND:LO,HI is expected",
                             "for the whole line give `monotone`, `convex` or `concave`");
    const auto [low, high] = bounds("`shape`", text.substr(colon + 1));
    if (!(low < high))
      throw base::UsageError("`shape` " + text + ": an interval LO,HI with LO < HI is expected");
    return {kind, low, high};
  }
  throw base::UsageError("`shape` " + text + ": unknown shape '" + word + "'",
                         base::suggestion(word, names));
}

/// UsageError for fields that need `pieces`, or do not go together with it.
void validate_pieces(const FitConfig& config) {
  const PiecesConstraints constraints = config.constraints();
  if (config.pieces.empty() &&
      (constraints.any() || config.jumps > 0 || config.criterion != Criterion::bic))
    throw base::UsageError((constraints.any()  ? constraints.fields()
                            : config.jumps > 0 ? std::string("`jumps`")
                                               : std::string("`criterion`")) +
                               ": only for straight `pieces`",
                           "add `pieces` auto");
  if (!config.pieces.empty()) config.number_of_pieces();
  if (config.loss != Loss::squares && (config.pieces.empty() || config.data.empty()))
    throw base::UsageError("`loss` is for `pieces` fitted to `data`",
                           "add `pieces` auto, or leave `loss` out");
  if (config.data.empty() && (config.jumps > 0 || config.criterion != Criterion::bic))
    throw base::UsageError(std::string(config.jumps > 0 ? "`jumps`" : "`criterion` cv") +
                               ": only for points of `data`",
                           "leave it out with `function`");
}

/// UsageError for fields that contradict several inputs.
void validate_several(const FitConfig& config) {
  if (!config.function.empty() && !config.target.empty())
    throw base::UsageError("`target` names a column of `data`", "leave it out with `function`");
  if (!config.data.empty() && config.target.empty())
    throw base::UsageError("`inputs` with `data` needs `target`", "name the column to fit");
  if (!config.data.empty() && config.cut_data)
    throw base::UsageError("`interval` does not apply to columns of `data`");
  if (config.chooses_columns())
    throw base::UsageError("`x_column`, `y_column` and `weight_column` are for one input",
                           "several inputs take `inputs` and `target`");
  if (config.windows > 0 || config.tolerance > 0 || config.keep_shape || config.difference ||
      !config.pieces.empty() || config.method != Method::best)
    throw base::UsageError(
        "`method`, `windows`, `tolerance`, `pieces`, `keep_shape` and `difference` are for one "
        "input",
        "several inputs take `ridges`, `depth`, `fold` and `compare`");
  if (config.validation + config.test > 0.8)
    throw base::UsageError(
        "`validation` and `test` leave less than a fifth of the rows for training");
}

}  // namespace

int FitConfig::number_of_pieces() const {
  if (pieces == "auto") return 0;
  const auto number = base::parse_number<double>(pieces);
  if (!number || *number != std::floor(*number) || *number < 1 || *number > kMostPieces)
    throw base::UsageError("`pieces` " + pieces + ": a whole number from 1 to " +
                           std::to_string(kMostPieces) + " is expected, or auto");
  return static_cast<int>(*number);
}

PiecesConstraints FitConfig::constraints() const {
  PiecesConstraints result;
  if (!monotone.empty() && monotone != "increasing" && monotone != "decreasing")
    throw base::UsageError("`monotone` " + monotone + ": increasing or decreasing is expected");
  if (!monotone.empty())
    result.shapes.push_back(
        {monotone == "increasing" ? ShapeKind::increasing : ShapeKind::decreasing});
  if (convex) result.shapes.push_back({ShapeKind::convex});
  if (concave) result.shapes.push_back({ShapeKind::concave});
  for (const std::string& text : shape) result.shapes.push_back(partial_shape(text));
  if (!slope_bounds.empty())
    std::tie(result.least_slope, result.most_slope) = bounds("`slope_bounds`", slope_bounds);
  if (!value_bounds.empty())
    std::tie(result.least_value, result.most_value) = bounds("`value_bounds`", value_bounds);
  for (const std::string& text : through) {
    const auto point = two_numbers("`through`", text, "X,Y", "0,0");
    if (!std::isfinite(point.first) || !std::isfinite(point.second))
      throw base::UsageError("`through` " + text + ": a finite point X,Y is expected");
    result.through.push_back(point);
  }
  std::sort(result.through.begin(), result.through.end());
  const auto last = std::unique(result.through.begin(), result.through.end());
  result.through.erase(last, result.through.end());
  for (std::size_t i = 0; i + 1 < result.through.size(); ++i)
    if (result.through[i].first == result.through[i + 1].first)
      throw base::UsageError("`through` gives two values at x = " +
                             base::format_number(result.through[i].first));
  return result;
}

void FitConfig::validate() const {
  config::check_field_ranges(*this, "");
  if (function.empty() == data.empty())
    throw base::UsageError(
        function.empty() ? "nothing to fit" : "both a function and data are given",
        "give either `function` 'x^3' or `data` points.csv");
  check_size(depth, fold == 0 ? 2 : fold, std::max(windows, 1));
  if (points > 0 && points < 4) throw base::UsageError("`points`: at least 4 are needed");
  if (!function.empty() && chooses_columns())
    throw base::UsageError("`x_column`, `y_column` and `weight_column` are columns of `data`",
                           "leave them out with `function`");
  if (several_inputs()) validate_several(*this);
  const int variants =
      (windows > 0 && !keep_shape) + (tolerance > 0) + keep_shape + difference + !pieces.empty();
  if (variants > 1)
    throw base::UsageError(
        "`windows`, `tolerance`, `pieces`, `keep_shape` and `difference` exclude each other",
        "choose one of them; only `keep_shape` can be combined with `windows`");
  if ((windows > 0 || tolerance > 0 || keep_shape || !pieces.empty()) && method != Method::best)
    throw base::UsageError(
        std::string("`method` ") + method_name(method) +
            " is for one narrow network, without `windows`, `tolerance`, `pieces` and `keep_shape`",
        "leave `method` out");
  validate_pieces(*this);
  if (keep_shape && fold > 2) throw base::UsageError("`keep_shape` folds in two: leave `fold` out");
  if (!several_inputs() && (ridges > 0 || compare))
    throw base::UsageError("`ridges` and `compare` are for several inputs",
                           "add `inputs` x,y to `function`, or `target` NAME to `data`");
  // The name must suit the C header, which is written last.
  export_c_header({to_network({{0, 1}, {0, 0}, {{{{0.5, 0.5}}, {1.0}}}}), {}}, name, "");
}

}  // namespace asap::region
