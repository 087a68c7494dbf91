#pragma once

#include <filesystem>
#include <string>

#include "evaluate/compare/report_context.h"
#include "evaluate/draw/page_parts.h"
#include "evaluate/study/drift.h"
#include "io/json.h"

namespace asap::evaluate {

/// The verdict (see drift_words), then a text table with a row per head.
std::string drift_table(const Drift& drift);

io::Json drift_summary(const Drift& drift, const ReportContext& context);

/// A page with verdict, table and picture. Needs no other file.
std::string drift_report(const Drift& drift, const ReportContext& context,
                         const PlotLibrary& library);

/// Writes report.html and its picture column_errors.svg.
void write_drift(const std::filesystem::path& folder, const Drift& drift,
                 const ReportContext& context, const PlotLibrary& library);

}  // namespace asap::evaluate
