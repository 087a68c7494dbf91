#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "evaluate/draw/page_parts.h"
#include "evaluate/report/report_data.h"
#include "io/json.h"

namespace asap::evaluate {

/// Column titles of the table of methods, and the cells of one method.
std::vector<std::string> comparison_columns(const Comparison& comparison);
std::vector<std::string> comparison_cells(const Comparison& comparison, const MethodResult& method);

/// The numbers of every method as a text table.
std::string comparison_table(const Comparison& comparison);

/// What the guards of the methods guarded and warm did, a sentence each.
std::vector<std::string> guard_words(const Comparison& comparison);

/// The content of summary.json: `methods[]` (with `guard` for guarded and warm) and `heads[]`,
/// `compiled` (what the operator imitates and the evidence of its heads), examples, threads,
/// provenance.
io::Json comparison_summary(const Comparison& comparison, const ReportContext& context);

/// Writes report.html and its pictures accuracy.svg and plan_distance.svg into `folder`.
void write_report(const std::filesystem::path& folder, const ReportData& data,
                  const PlotLibrary& library);

/// Draws the same pictures for a paper into `folder`: see paper_figures.h.
void write_paper_figures(const std::filesystem::path& folder, const ReportData& data);

}  // namespace asap::evaluate
