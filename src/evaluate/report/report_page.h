#pragma once

#include "evaluate/draw/page_parts.h"
#include "evaluate/report/report_data.h"

namespace asap::evaluate {

/// The section of a report that says how to make it again: commands, threads, versions.
std::string provenance_section(const ReportContext& context, int threads);

/// One HTML file with everything in it: headline numbers, words that follow them, tables, pictures,
/// attention plans, heads, provenance.
std::string comparison_report(const ReportData& data, const PlotLibrary& library);

}  // namespace asap::evaluate
