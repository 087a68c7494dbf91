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

/// What is printed: the digest of bench_digest.h or, where the configuration names forms (`all`:
/// every one), all tables of bench_tables.h.
std::string bench_text(const BenchConfig& config, const BenchResult& result);

/// The content of summary.json. rows[]: `n`, `d`, milliseconds per head under each form's name, and
/// all other measurements in `forms`; peak, growth, ratios, the configuration.
io::Json bench_summary(const BenchConfig& config, const BenchResult& result);

/// Time by number of tokens of the main forms, for a paper.
std::vector<PaperFigure> bench_figures(const BenchResult& result);

/// Writes report.html and, with at least two sizes and with gnuplot, scaling.svg (time
/// divided by our own loop's, and memory, over N). Returns whether the picture was drawn.
bool write_bench_report(const std::filesystem::path& folder, const BenchConfig& config,
                        const BenchResult& result, const PlotLibrary& library);

}  // namespace asap::evaluate
