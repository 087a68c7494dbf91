#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "evaluate/bench/attention_bench.h"
#include "evaluate/draw/page_parts.h"
#include "evaluate/draw/paper_figures.h"
#include "io/json.h"

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

/// Milliseconds per head, ratios, accuracy, fraction of the peak, memory, growth: as text tables.
std::string bench_text(const BenchResult& result);

/// The content of summary.json. rows[]: `n`, `d`, milliseconds per head under each form's name, and
/// all other measurements in `forms`; peak, growth, ratios, the configuration.
io::Json bench_summary(const BenchConfig& config, const BenchResult& result);

/// Time by number of tokens of the main forms, for a paper.
std::vector<PaperFigure> bench_figures(const BenchResult& result);

/// Writes report.html and, with at least two sizes and with gnuplot, scaling.svg (time and
/// memory over N on logarithmic axes). Returns whether the picture was drawn.
bool write_bench_report(const std::filesystem::path& folder, const BenchConfig& config,
                        const BenchResult& result, const PlotLibrary& library);

}  // namespace asap::evaluate
