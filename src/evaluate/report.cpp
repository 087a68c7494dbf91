#include "evaluate/report.h"

#include <algorithm>

#include "base/files.h"
#include "base/format.h"
#include "base/table.h"
#include "compile/compile_report.h"
#include "evaluate/html.h"
#include "evaluate/svg_chart.h"

namespace asap {
namespace {

/// Marks the truncation that takes the compiled operator's time.
constexpr const char* kEqualMark = " (equal time)";

bool is_compiled(const MethodResult& method) { return method.name.starts_with("compiled"); }

const MethodResult* find_method(const Comparison& comparison, const std::string& name) {
  const auto found = std::ranges::find(comparison.methods, name, &MethodResult::name);
  return found == comparison.methods.end() ? nullptr : &*found;
}

Emphasis emphasis_of(const MethodResult& method) {
  if (method.name == "teacher") return Emphasis::reference;
  return is_compiled(method) ? Emphasis::subject : Emphasis::plain;
}

ScatterChart accuracy_chart(const Comparison& comparison) {
  ScatterChart chart{"Accuracy against time in attention",
                     "milliseconds in attention per example",
                     "accuracy",
                     {}};
  for (const MethodResult& method : comparison.methods)
    chart.points.push_back(
        {method.name, method.attention_milliseconds, method.accuracy, emphasis_of(method)});
  return chart;
}

BarChart distance_chart(const Comparison& comparison) {
  BarChart chart{"Distance of the plans from the teacher's", "plan L1", 3, {}};
  for (const MethodResult& method : comparison.methods)
    if (method.name != "teacher")
      chart.bars.push_back({method.name, method.plan_l1, emphasis_of(method)});
  return chart;
}

std::string card(const std::string& value, const std::string& meaning) {
  return "<div class=\"card\"><b>" + escape_markup(value) + "</b><span class=\"soft\">" +
         escape_markup(meaning) + "</span></div>\n";
}

/// What the comparison is about: the compiled operator beside its teacher.
std::string headline(const Comparison& comparison) {
  const MethodResult* compiled = find_method(comparison, "compiled");
  const MethodResult* teacher = find_method(comparison, "teacher");
  if (!compiled) return "";
  std::string cards = card(format_fixed(100 * compiled->agreement, 2) + " %",
                           "of the teacher's predictions reproduced");
  if (teacher) {
    const double change = 100 * (compiled->accuracy - teacher->accuracy);
    cards += card(
        (change >= 0 ? "+" : "") + format_fixed(change, 2),
        "percentage points of accuracy, from " + format_fixed(100 * teacher->accuracy, 2) + " %");
    cards += card(
        format_fixed(teacher->attention_milliseconds / compiled->attention_milliseconds, 2) + "x",
        "speed of attention against the teacher");
  }
  cards += card(format_fixed(compiled->plan_l1, 3), "plan L1: distance of the plans, at most 2");
  return "<div class=\"cards\">\n" + cards + "</div>\n";
}

/// Whether the operator imitates something else than the teacher that is compared, too.
bool shows_imitation(const Comparison& comparison) {
  return std::ranges::any_of(comparison.methods, [](const MethodResult& method) {
    return method.imitated_agreement.has_value();
  });
}

std::vector<std::string> columns(const Comparison& comparison) {
  std::vector<std::string> names = {
      "method",       "accuracy", "agreement",   comparison.examples_name + "/s",
      "attention ms", "plan L1",  "column error"};
  if (shows_imitation(comparison)) names.emplace_back("as imitated");
  return names;
}

/// The numbers of one method under these columns.
std::vector<std::string> cells_of(const Comparison& comparison, const MethodResult& method) {
  std::vector<std::string> cells = {method.name + (method.equal_latency ? kEqualMark : ""),
                                    format_fixed(method.accuracy, 4),
                                    format_fixed(method.agreement, 4),
                                    format_fixed(method.examples_per_second, 0),
                                    format_fixed(method.attention_milliseconds, 3),
                                    format_fixed(method.plan_l1, 4),
                                    format_fixed(method.column_error, 4)};
  if (shows_imitation(comparison))
    cells.push_back(method.imitated_agreement ? format_fixed(*method.imitated_agreement, 4) : "");
  return cells;
}

std::string methods_table(const Comparison& comparison) {
  std::string rows = html_row("th", columns(comparison));
  for (const MethodResult& method : comparison.methods)
    rows += html_row("td", cells_of(comparison, method), is_compiled(method) ? "subject" : "");
  return "<div class=\"scroll\"><table>\n" + rows + "</table></div>\n" +
         "<p class=\"soft\">agreement: fraction of the teacher's predictions. attention ms: "
         "processor time in attention per example, all layers. plan L1: mean over queries of the "
         "absolute difference from the teacher's attention, summed over keys. column error: mean "
         "relative error of the plan's column sums. The last two on the first " +
         format_count(comparison.fidelity_examples) + " " + comparison.examples_name + "." +
         (shows_imitation(comparison)
              ? " as imitated: fraction of the predictions of the attention that is imitated" +
                    (comparison.compiled ? ", " + comparison.compiled->teacher + "," : "") +
                    " in the same layers."
              : "") +
         "</p>\n";
}

/// Plan L1 of every method that differs from the teacher, head by head.
std::string heads_table(const Comparison& comparison) {
  std::vector<std::string> header = {"layer, head"};
  for (const MethodResult& method : comparison.methods)
    if (method.name != "teacher") header.push_back(method.name);
  if (header.size() == 1) return "";
  std::string rows = html_row("th", header);
  const auto& first = comparison.methods.front().heads;
  for (std::size_t layer = 0; layer < first.size(); ++layer)
    for (std::size_t head = 0; head < first[layer].size(); ++head) {
      std::vector<std::string> cells = {std::to_string(layer) + ", " + std::to_string(head)};
      for (const MethodResult& method : comparison.methods)
        if (method.name != "teacher")
          cells.push_back(format_fixed(method.heads[layer][head].plan_l1, 4));
      rows += html_row("td", cells);
    }
  return "<h2>Plan L1 of every head</h2>\n<div class=\"scroll\"><table>\n" + rows +
         "</table></div>\n";
}

Json operator_json(const OperatorEvidence& evidence) {
  Json json = {{"teacher", evidence.teacher},
               {"iterations", evidence.iterations},
               {"examples", evidence.examples}};
  if (evidence.examples > 0) {
    json["mean"] = evidence_json(mean_evidence(evidence.heads));
    json["heads"] = heads_json(evidence.heads);
  }
  return json;
}

}  // namespace

std::string provenance_section(const ReportContext& context, int threads) {
  std::string commands;
  for (const std::string& command : context.commands) commands += escape_markup(command) + "\n";
  std::string versions = html_row("td", {"threads", std::to_string(threads)});
  for (const auto& [name, value] : context.versions) versions += html_row("td", {name, value});
  return "<h2>How to make this again</h2>\n<pre>" + commands +
         "</pre>\n<div class=\"scroll\"><table>\n" + versions + "</table></div>\n";
}

std::string comparison_table(const Comparison& comparison) {
  std::vector<Table::Column> heads;
  for (const std::string& title : columns(comparison))
    heads.push_back({title, heads.empty() ? Table::Align::left : Table::Align::right});
  Table table(std::move(heads));
  for (const MethodResult& method : comparison.methods) table.add_row(cells_of(comparison, method));
  return table.text();
}

Json comparison_summary(const Comparison& comparison, const ReportContext& context) {
  Json methods = Json::array(), heads = Json::array();
  for (const MethodResult& method : comparison.methods) {
    methods.push_back({{"name", method.name},
                       {"accuracy", method.accuracy},
                       {"agreement", method.agreement},
                       {"examples_per_second", method.examples_per_second},
                       {"attention_milliseconds", method.attention_milliseconds},
                       {"plan_l1", method.plan_l1},
                       {"column_error", method.column_error}});
    if (method.equal_latency) methods.back()["equal_latency"] = true;
    if (method.imitated_agreement)
      methods.back()["imitated_agreement"] = *method.imitated_agreement;
    for (std::size_t layer = 0; layer < method.heads.size(); ++layer)
      for (std::size_t head = 0; head < method.heads[layer].size(); ++head)
        heads.push_back({{"method", method.name},
                         {"layer", layer},
                         {"head", head},
                         {"plan_l1", method.heads[layer][head].plan_l1},
                         {"column_error", method.heads[layer][head].column_error}});
  }
  Json versions = Json::object();
  for (const auto& [name, value] : context.versions) versions[name] = value;
  Json summary = {{"methods", methods},
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

std::string comparison_report(const Comparison& comparison, const ReportContext& context) {
  std::string page;
  page += "<p class=\"soft\">" + escape_markup(context.data) + ", " +
          format_count(comparison.examples) + " " + comparison.examples_name + ". " +
          escape_markup(context.model) + "</p>\n";
  page += headline(comparison);
  page += "<h2>Methods</h2>\n" + methods_table(comparison);
  page += "<h2>Accuracy against time in attention</h2>\n" + render_svg(accuracy_chart(comparison));
  page += "<h2>Distance of the plans from the teacher's</h2>\n" +
          render_svg(distance_chart(comparison));
  page += heads_table(comparison);
  page += provenance_section(context, comparison.threads);
  return html_page("Comparison of attention methods", page);
}

void write_report(const std::filesystem::path& folder, const Comparison& comparison,
                  const ReportContext& context) {
  write_file_atomically(folder / "accuracy.svg", render_svg(accuracy_chart(comparison)));
  write_file_atomically(folder / "plan_distance.svg", render_svg(distance_chart(comparison)));
  write_file_atomically(folder / "report.html", comparison_report(comparison, context));
}

}  // namespace asap
