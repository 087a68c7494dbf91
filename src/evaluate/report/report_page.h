#pragma once

#include "evaluate/draw/page_parts.h"
#include "evaluate/report/report_data.h"

namespace asap::evaluate {

/// "Fashion-MNIST: what"; `what` alone without a title.
std::string titled(const ReportContext& context, const std::string& what);

/// The section of a report that says how to reproduce it: commands, data, threads, versions.
std::string provenance_section(const ReportContext& context, int threads);

/// One HTML file that needs no other: headline numbers, the verdict in words, tables, pictures,
/// attention plans, heads, provenance.
std::string comparison_report(const ReportData& data, const PlotLibrary& library);

}  // namespace asap::evaluate
