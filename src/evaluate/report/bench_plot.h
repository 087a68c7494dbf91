#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "evaluate/bench/attention_bench.h"

namespace asap::evaluate {

/// Draws time and memory of the forms over N, both axes logarithmic, through gnuplot as SVG. False,
/// having written nothing, with fewer than two sizes or without a working gnuplot.
bool draw_bench(const BenchResult& result, const std::vector<std::string>& forms,
                const std::filesystem::path& svg);

}  // namespace asap::evaluate
