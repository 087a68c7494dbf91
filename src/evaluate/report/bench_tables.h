#pragma once

#include <string>
#include <vector>

#include "evaluate/bench/attention_bench.h"

namespace asap::evaluate {

/// How a form's cost grows: the slope of the line fitted to log cost over log N.
struct Growth {
  std::string form;
  double time = FormResult::kNone;    ///< exponent of N in milliseconds
  double memory = FormResult::kNone;  ///< exponent of N in bytes beyond inputs and outputs
  int sizes = 0;                      ///< points of the fit
};

/// Exponents of every form over the sizes of at least kGrowthFrom tokens; below, fixed costs
/// dominate. NaN with fewer than two sizes.
inline constexpr std::int64_t kGrowthFrom = 256;
std::vector<Growth> fit_growth(const BenchResult& result);

/// A table of a benchmark, before it becomes text or HTML: one row per form, one column per size.
struct Grid {
  std::string title, note;
  std::vector<std::vector<std::string>> rows = {};  ///< the first is the header
};

/// Every table that has rows: milliseconds, ratios, accuracy, fraction of the peak, memory, growth.
std::vector<Grid> bench_grids(const BenchResult& result);

/// Title, note, the table, an empty line.
std::string grid_text(const Grid& grid);

/// Names of the forms measured or skipped, in the order of attention_forms().
std::vector<std::string> form_names(const BenchResult& result);

/// milliseconds(form) / milliseconds(other); NaN when one of them is not there.
double time_ratio(const BenchRow& row, const FormResult& result, const std::string& other);

}  // namespace asap::evaluate
