#include "region/run/fit_config.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "region/network/export_c.h"

namespace asap::region {
namespace {

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
        "`method`, `windows`, `tolerance`, `pieces`, `keep_shape` and `difference` are for one input",
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
    throw base::UsageError(
        "`pieces` " + pieces + ": a whole number from 1 to " + std::to_string(kMostPieces) +
            " is expected, or auto");
  return static_cast<int>(*number);
}

void FitConfig::validate() const {
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
  if (windows < 0) throw base::UsageError("`windows`: at least 1 is needed");
  if (tolerance < 0) throw base::UsageError("`tolerance`: a positive number is expected");
  const int variants = (windows > 0 && !keep_shape) + (tolerance > 0) + keep_shape + difference +
                       !pieces.empty();
  if (variants > 1)
    throw base::UsageError(
        "`windows`, `tolerance`, `pieces`, `keep_shape` and `difference` exclude each other",
        "choose one of them; only `keep_shape` can be combined with `windows`");
  if ((windows > 0 || tolerance > 0 || keep_shape || !pieces.empty()) && method != Method::best)
    throw base::UsageError(
        std::string("`method` ") + method_name(method) +
            " is for one narrow network, without `windows`, `tolerance`, `pieces` and `keep_shape`",
        "leave `method` out");
  if (!pieces.empty()) number_of_pieces();
  if (loss != Loss::squares && (pieces.empty() || data.empty()))
    throw base::UsageError("`loss` is for `pieces` fitted to `data`",
                           "add `pieces` auto, or leave `loss` out");
  if (keep_shape && fold > 2) throw base::UsageError("`keep_shape` folds in two: leave `fold` out");
  if (!several_inputs() && (ridges > 0 || compare))
    throw base::UsageError("`ridges` and `compare` are for several inputs",
                           "add `inputs` x,y to `function`, or `target` NAME to `data`");
  // The name must suit the C header, which is written last.
  export_c_header({to_network({{0, 1}, {0, 0}, {{{{0.5, 0.5}}, {1.0}}}}), {}}, name, "");
}

}  // namespace asap::region
