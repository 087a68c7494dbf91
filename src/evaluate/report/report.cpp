#include "evaluate/report/report.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text_table.h"
#include "compile/compile_report.h"
#include "evaluate/draw/paper_figures.h"
#include "evaluate/report/report_charts.h"
#include "evaluate/report/report_page.h"

namespace asap::evaluate {
namespace {

/// What follows the name of a method that was chosen by its time.
const char* time_mark(const MethodResult& method) {
  if (!method.equal_latency) return "";
  return method.capped ? " (equal time, capped at T)" : " (equal time)";
}

/// " ±1.2%"; nothing where it was not measured.
std::string interval_mark(double relative) {
  return std::isnan(relative) ? "" : " ±" + base::format_fixed(100 * relative, 1) + "%";
}

io::Json interval_json(double value, double relative) {
  return {value * (1 - relative), value * (1 + relative)};
}

/// Time in attention relative to the compiled operator without a guard; nothing if that was not
/// compared.
std::optional<double> guard_overhead(const Comparison& comparison, const MethodResult& method) {
  const MethodResult* compiled = comparison.find("compiled");
  if (!compiled || !method.in_all_layers()) return std::nullopt;
  return method.attention_milliseconds / compiled->attention_milliseconds - 1;
}

io::Json guard_json(const Comparison& comparison, const MethodResult& method) {
  const std::optional<double> overhead = guard_overhead(comparison, method);
  return {{"heads", method.guard->heads},
          {"iterated", method.guard->iterated},
          {"iterations", method.guard->iterations},
          {"network_heads", method.guard->network_heads},
          {"loops", method.guard->loops},
          {"mean_iterations", method.guard->mean_iterations()},
          {"attention_overhead", overhead ? io::Json(*overhead) : io::Json(nullptr)}};
}

io::Json cascade_json(const CascadeResult& cascade) {
  const CascadeThreshold& threshold = cascade.threshold;
  return {{"margin", threshold.margin},
          {"rerun_share", cascade.rerun_share},
          {"calibration",
           {{"examples", threshold.examples},
            {"rerun_share", threshold.share},
            {"disagreements", threshold.disagreements},
            {"missed", threshold.missed}}}};
}

io::Json operator_json(const OperatorEvidence& evidence) {
  io::Json json = {{"teacher", evidence.teacher},
                   {"iterations", evidence.iterations},
                   {"examples", evidence.examples}};
  if (evidence.examples > 0) {
    json["mean"] = compile::evidence_json(compile::mean_evidence(evidence.heads));
    json["heads"] = compile::heads_json(evidence.heads);
  }
  return json;
}

}  // namespace

std::vector<std::string> comparison_columns(const Comparison& comparison) {
  std::vector<std::string> names = {
      "method",       "accuracy", "agreement",   comparison.examples_name + "/s",
      "attention ms", "plan L1",  "column error"};
  if (comparison.shows_imitation()) names.emplace_back("as imitated");
  if (comparison.shows_cascade()) names.emplace_back("rerun");
  return names;
}

std::vector<std::string> comparison_cells(const Comparison& comparison,
                                          const MethodResult& method) {
  std::vector<std::string> cells = {
      method.name + time_mark(method),
      base::format_fixed(method.accuracy, 4),
      base::format_fixed(method.agreement, 4),
      base::format_fixed(method.examples_per_second, 0) + interval_mark(method.rate_interval),
      base::format_fixed(method.attention_milliseconds, 3),
      base::format_fixed(method.plan_l1, 4),
      base::format_fixed(method.column_error, 4)};
  if (comparison.shows_imitation())
    cells.push_back(method.imitated_agreement ? base::format_fixed(*method.imitated_agreement, 4)
                                              : "");
  if (comparison.shows_cascade())
    cells.push_back(method.cascade ? base::format_fixed(100 * method.cascade->rerun_share, 2) + "%"
                                   : "");
  return cells;
}

std::string comparison_table(const Comparison& comparison) {
  std::vector<base::Table::Column> heads;
  for (const std::string& title : comparison_columns(comparison))
    heads.push_back({title, heads.empty() ? base::Table::Align::left : base::Table::Align::right});
  base::Table table(std::move(heads));
  for (const MethodResult& method : comparison.methods)
    table.add_row(comparison_cells(comparison, method));
  std::string text = table.text();
  for (const std::string& sentence : guard_words(comparison)) text += sentence + "\n";
  return text;
}

namespace {

/// Why heads of `warm` run the teacher's loop, if any do.
std::string loop_words(const std::string& method, const GuardCounts& guard) {
  if (guard.loops == 0) return "";
  return "; " + std::to_string(guard.loops) + " of the network's " +
         base::counted(guard.network_heads, "head has", "heads have") +
         " a teacher that is far from converged, or no map: its own loop is the "
         "cheapest "
         "way to its plan, and " +
         method + " runs it";
}

}  // namespace

std::vector<std::string> guard_words(const Comparison& comparison) {
  std::vector<std::string> sentences;
  for (const MethodResult& method : comparison.methods) {
    if (!method.guard) continue;
    const GuardCounts& guard = *method.guard;
    const std::optional<double> overhead = guard_overhead(comparison, method);
    sentences.push_back(
        method.name + ": " + base::format_count(guard.iterated) + " of " +
        base::counted(guard.heads, "head") + " (" + base::format_fixed(100 * guard.share(), 2) +
        " %, each example counted) iterated, " + base::format_fixed(guard.mean_iterations(), 3) +
        " iterations per head on average" + loop_words(method.name, guard) +
        (overhead ? "; time in attention " + std::string(*overhead < 0 ? "" : "+") +
                        base::format_fixed(100 * *overhead, 1) + " % against compiled"
                  : std::string()) +
        ".");
  }
  return sentences;
}

io::Json comparison_summary(const Comparison& comparison, const ReportContext& context) {
  io::Json methods = io::Json::array(), heads = io::Json::array();
  for (const MethodResult& method : comparison.methods) {
    methods.push_back({{"name", method.name},
                       {"accuracy", method.accuracy},
                       {"agreement", method.agreement},
                       {"examples_per_second", method.examples_per_second},
                       {"examples_per_second_interval",
                        interval_json(method.examples_per_second, method.rate_interval)},
                       {"attention_milliseconds", method.attention_milliseconds},
                       {"attention_milliseconds_interval",
                        interval_json(method.attention_milliseconds, method.attention_interval)},
                       {"plan_l1", method.plan_l1},
                       {"column_error", method.column_error}});
    if (method.equal_latency) methods.back()["equal_latency"] = true;
    if (method.guard) methods.back()["guard"] = guard_json(comparison, method);
    if (method.capped) methods.back()["capped"] = true;
    if (method.imitated_agreement)
      methods.back()["imitated_agreement"] = *method.imitated_agreement;
    if (method.cascade) methods.back()["cascade"] = cascade_json(*method.cascade);
    for (std::size_t layer = 0; layer < method.heads.size(); ++layer)
      for (std::size_t head = 0; head < method.heads[layer].size(); ++head)
        heads.push_back({{"method", method.name},
                         {"layer", layer},
                         {"head", head},
                         {"plan_l1", method.heads[layer][head].plan_l1},
                         {"column_error", method.heads[layer][head].column_error}});
  }
  io::Json versions = io::Json::object();
  for (const auto& [name, value] : context.versions) versions[name] = value;
  io::Json summary = {{"methods", methods},
                      {"heads", heads},
                      {"examples", comparison.examples},
                      {"fidelity_examples", comparison.fidelity_examples},
                      {"threads", comparison.threads},
                      {"data", context.data},
                      {"model", context.model},
                      {"commands", context.commands},
                      {"versions", versions}};
  if (comparison.compiled) summary["compiled"] = operator_json(*comparison.compiled);
  return summary;
}

void write_report(const std::filesystem::path& folder, const ReportData& data,
                  const PlotLibrary& library) {
  base::write_file_atomically(folder / "accuracy.svg",
                              render_svg(tradeoff_charts(data.comparison)[0].chart));
  base::write_file_atomically(folder / "plan_distance.svg",
                              render_svg(distance_chart(data.comparison)));
  base::write_file_atomically(folder / "report.html", comparison_report(data, library));
}

void write_paper_figures(const std::filesystem::path& folder, const ReportData& data) {
  const std::vector<Tradeoff> tradeoffs = tradeoff_charts(data.comparison);
  draw_paper_figures(folder, {{"accuracy_against_time", tradeoffs[0].chart},
                              {"agreement_against_time", tradeoffs[1].chart},
                              {"plan_distance_against_time", tradeoffs[2].chart},
                              {"plan_distance", distance_chart(data.comparison)},
                              {"plans", plan_figure(data.gallery)},
                              {"duals", dual_chart(data.study)},
                              {"column_error", column_error_chart(data)},
                              {"scaling", scaling_chart(data.scaling)},
                              {"training_loss", training_loss_chart(data.training)},
                              {"training_accuracy", training_accuracy_chart(data.training)}});
}

}  // namespace asap::evaluate
