#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "evaluate/comparison.h"
#include "io/json.h"

namespace asap {

/// What a reader needs to know about where the numbers of a comparison come from.
struct ReportContext {
  std::string data;  ///< "fashion-mnist test"
  std::string
      model;  ///< "ViT, patch 4, width 64, 2 heads, 3 layers; Sinkhorn, T = 10, epsilon = 1"
  std::vector<std::string> commands;                          ///< how to make it again
  std::vector<std::pair<std::string, std::string>> versions;  ///< "toolkit" -> "0.1.0", ...
};

/// The section of a report that says how to make it again: commands, threads, versions.
std::string provenance_section(const ReportContext& context, int threads);

/// The numbers of every method as a text table.
std::string comparison_table(const Comparison& comparison);

/// The content of summary.json: `methods[]` and `heads[]`, `compiled` (what the operator imitates
/// and the evidence of its heads), examples, threads, provenance.
Json comparison_summary(const Comparison& comparison, const ReportContext& context);

/// One HTML file with everything in it: headline numbers, table, pictures, heads, provenance.
std::string comparison_report(const Comparison& comparison, const ReportContext& context);

/// Writes report.html and its pictures accuracy.svg and plan_distance.svg into `folder`.
void write_report(const std::filesystem::path& folder, const Comparison& comparison,
                  const ReportContext& context);

}  // namespace asap
