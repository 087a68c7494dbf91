#pragma once

#include <filesystem>

#include "evaluate/compare/report_context.h"
#include "evaluate/draw/page_parts.h"
#include "evaluate/draw/paper_figures.h"
#include "evaluate/study/diagnosis.h"
#include "io/json.h"

namespace asap::evaluate {

/// The verdict (see diagnosis_verdict.h), then a text table: one row per method and layer, means
/// over heads.
std::string diagnosis_table(const Diagnosis& diagnosis);

io::Json diagnosis_summary(const Diagnosis& diagnosis, const ReportContext& context);

/// A page with every table and picture. Needs no other file.
std::string diagnosis_report(const Diagnosis& diagnosis, const ReportContext& context,
                             const PlotLibrary& library);

/// Its pictures for a paper.
std::vector<PaperFigure> diagnosis_figures(const Diagnosis& diagnosis);

/// Writes report.html and the pictures rank_collapse.svg, entropy.svg, attention_sinks.svg,
/// column_error.svg, the last only if the teacher is among the methods.
void write_diagnosis(const std::filesystem::path& folder, const Diagnosis& diagnosis,
                     const ReportContext& context, const PlotLibrary& library);

}  // namespace asap::evaluate
