#pragma once

#include <filesystem>
#include <string>

#include "evaluate/draw/page_parts.h"
#include "evaluate/draw/svg_chart.h"
#include "evaluate/study/region_study.h"

namespace asap::evaluate {

/// How many segments have how many regions, in at most twelve groups of equal width.
BarChart region_histogram(const RegionStudy& study);

/// A page with the numbers and pictures of a count of linear regions. Needs no other file.
std::string region_report(const RegionStudy& study, const PlotLibrary& library);

/// Writes report.html and regions.svg, the histogram, into `folder`.
void write_region_report(const std::filesystem::path& folder, const RegionStudy& study,
                         const PlotLibrary& library);

}  // namespace asap::evaluate
