#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "evaluate/bench/attention_bench.h"

namespace asap::evaluate {

/// Draws the forms over N through gnuplot as SVG: time divided by that of our own Sinkhorn loop on
/// a linear axis, memory on a logarithmic one. False, having written nothing, with fewer than two
/// sizes, without the loop or without a working gnuplot.
bool draw_bench(const BenchResult& result, const std::vector<std::string>& forms,
                const std::filesystem::path& svg);

}  // namespace asap::evaluate
