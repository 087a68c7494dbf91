#include "evaluate/report/report_page.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/format.h"
#include "base/text.h"
#include "evaluate/draw/chart_json.h"
#include "evaluate/draw/html.h"
#include "evaluate/draw/svg_chart.h"
#include "evaluate/report/gallery_json.h"
#include "evaluate/report/report.h"
#include "evaluate/report/report_charts.h"
#include "evaluate/report/report_words.h"

namespace asap::evaluate {
namespace {

std::string card(const std::string& value, const std::string& meaning) {
  return "<div class=\"card\"><b>" + base::escape_markup(value) + "</b><span class=\"soft\">" +
         base::escape_markup(meaning) + "</span></div>\n";
}

/// The main numbers: the compiled operator beside its teacher.
std::string headline(const Comparison& comparison) {
  const MethodResult* compiled = comparison.find("compiled");
  const MethodResult* teacher = comparison.find("teacher");
  if (!compiled) return "";
  std::string cards = card(base::format_fixed(100 * compiled->agreement, 2) + " %",
                           "of the teacher's predictions reproduced by the compiled operator");
  if (teacher) {
    const double change = 100 * (compiled->accuracy - teacher->accuracy);
    cards += card((change >= 0 ? "+" : "") + base::format_fixed(change, 2),
                  "percentage points of accuracy, from " +
                      base::format_fixed(100 * teacher->accuracy, 2) + " %");
    cards += card(
        base::format_fixed(teacher->attention_milliseconds / compiled->attention_milliseconds, 2) +
            "×",
        "speed of attention against the teacher's loop, the fastest that we have");
  }
  if (const MethodResult* published = comparison.find("teacher_log"))
    cards += card(base::format_fixed(
                      published->attention_milliseconds / compiled->attention_milliseconds, 1) +
                      "×",
                  "speed of attention against the loop as it is published, in the log domain");
  cards +=
      card(base::format_fixed(compiled->plan_l1, 3), "plan L1: distance of the plans, at most 2");
  return "<div class=\"cards\">\n" + cards + "</div>\n";
}

std::string swatch(const std::string& method) {
  return std::string("<span class=\"swatch ") + family_name(family_of(method)) + "\"></span>";
}

/// A row whose first cell is a method's name with its colour.
std::string method_row(const std::string& method, const std::vector<std::string>& cells) {
  std::string row = family_of(method) == Family::compiled ? "<tr class=\"subject\">" : "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i)
    row += "<td>" + (i == 0 ? swatch(method) : std::string()) + base::escape_markup(cells[i]) +
           "</td>";
  return row + "</tr>\n";
}

std::string methods_section(const Comparison& comparison) {
  std::string rows = html_row("th", comparison_columns(comparison));
  for (const MethodResult& method : comparison.methods)
    rows += method_row(method.name, comparison_cells(comparison, method));
  std::string note =
      "accuracy: share of the labels predicted. agreement: share of the teacher's predictions "
      "made. "
      "±: two standard errors of the turns that the methods took side by side. "
      "attention ms: processor time in attention per example, all layers. plan L1: mean over "
      "queries of the absolute difference from the teacher's attention, summed over keys; between "
      "0 and 2. column error: mean relative error of the plan's column sums. The last two are "
      "measured "
      "on the first " +
      base::counted_plural(comparison.fidelity_examples, comparison.examples_name) + ".";
  if (comparison.shows_imitation())
    note += " as imitated: share of the predictions that the imitated attention makes" +
            (comparison.compiled ? ", " + comparison.compiled->teacher + "," : std::string()) +
            " in the same layers.";
  std::string guards;
  for (const std::string& sentence : guard_words(comparison)) guards += html_paragraph(sentence);
  if (comparison.shows_cascade())
    note +=
        " :cascade: the compiled operator runs first, and the teacher runs those examples again "
        "whose two largest outputs are closer than a threshold, which training examples chose. "
        "rerun: share of such examples; times include them, plan L1 and column error do not.";
  return html_section("Methods", html_table(rows) + guards + html_paragraph(note, "soft"));
}

/// Collects the charts by name for the script.
struct Figures {
  io::Json charts = io::Json::object();

  template <class Chart>
  std::string add(const std::string& name, const Chart& chart, const std::string& caption) {
    charts[name] = chart_json(chart);
    return html_figure(name, render_svg(chart), caption);
  }
};

std::string tradeoff_section(const Comparison& comparison, Figures& figures) {
  const std::vector<Tradeoff> tradeoffs = tradeoff_charts(comparison);
  io::Json options = io::Json::array();
  for (const Tradeoff& tradeoff : tradeoffs)
    options.push_back({{"name", tradeoff.name}, {"chart", chart_json(tradeoff.chart)}});
  figures.charts["tradeoff"] = {
      {"kind", "choice"}, {"title", "Methods against time in attention"}, {"options", options}};
  return html_section(
      "Accuracy against time in attention",
      html_figure(
          "tradeoff", render_svg(tradeoffs[0].chart),
          "Each mark is a method that replaces the teacher's attention, in all layers unless its "
          "name says which. Farther left is faster; higher is more accurate (for plan L1, lower is "
          "closer). The dotted line joins the best trade-offs: methods that no other beats in "
          "both."));
}

std::string distance_section(const Comparison& comparison, Figures& figures) {
  return html_section(
      "Distance of the plans from the teacher's",
      figures.add("distance", distance_chart(comparison),
                  "Distance of each method's attention from the teacher's on the same queries and "
                  "keys: absolute differences, summed over keys, averaged over queries. 0 is the "
                  "teacher's own plan, 2 the largest possible distance."));
}

std::string plans_section(const PlanGallery& gallery) {
  if (gallery.examples.empty()) return "";
  return html_section(
      "Attention plans",
      "<div class=\"plans\" data-plans><p class=\"missing\">A script draws the plans, and this "
      "browser does not run scripts.</p></div>\n" +
          html_paragraph(
              "Each square is one head's attention on one example: the row of a query shows how "
              "much "
              "it attends to every key. All methods get the queries and keys of the teacher's own "
              "pass. The squares below show the difference from the teacher: blue where a method "
              "attends more, orange where it attends less. Colours follow the square root of the "
              "values, so that small entries show. Choose a token by its row, by the slider or in "
              "the example; the example is shaded by what that token attends to. Examples that "
              "compiled and teacher classify differently, if any, come last.",
              "soft"));
}

/// Column errors over iterations as a small line, and the compiled operator's as a horizontal one.
std::string spark(const std::vector<double>& errors, double compiled) {
  constexpr double kWidth = 88, kHeight = 20, kFloor = 1e-4;
  double low = compiled > 0 ? compiled : INFINITY, high = compiled > 0 ? compiled : 0;
  for (const double error : errors) {
    low = std::min(low, error);
    high = std::max(high, error);
  }
  low = std::max(low, kFloor);
  high = std::max(high, low * 1.01);
  const auto y = [&](double error) {
    return base::format_fixed(
        kHeight - 1 -
            (kHeight - 2) * std::log(std::max(error, kFloor) / low) / std::log(high / low),
        1);
  };
  std::string path;
  for (std::size_t t = 0; t < errors.size(); ++t)
    path += (t == 0 ? "M" : " L") +
            base::format_fixed(kWidth * static_cast<double>(t) /
                                   static_cast<double>(std::max<std::size_t>(errors.size() - 1, 1)),
                               1) +
            " " + y(errors[t]);
  std::string svg =
      "<svg class=\"spark\" viewBox=\"0 0 88 20\" role=\"img\" aria-label=\"column error "
      "by iteration\"><path d=\"" +
      path + "\"/>";
  if (compiled > 0) svg += "<path class=\"level\" d=\"M0 " + y(compiled) + " H88\"/>";
  return svg + "</svg>";
}

/// One row per head: plan L1 of every method, how well the dual is predicted, column errors.
std::string heads_section(const ReportData& data) {
  const std::vector<MethodResult>& methods = data.comparison.methods;
  const MethodResult* compiled = data.comparison.find("compiled");
  const bool studied = !data.study.heads.empty();
  const bool duals = std::ranges::any_of(data.study.heads, [](const auto& layer) {
    return !layer.front().target.empty();  // a layer that keeps the loop predicts nothing
  });
  std::vector<std::string> header = {"layer, head"};
  for (const MethodResult& method : methods)
    if (method.name != "teacher" && method.has_own_plans()) header.push_back(method.name);
  if (header.size() == 1) return "";
  if (duals) header.emplace_back("dual R²");
  if (studied) header.emplace_back("column error");
  std::string rows = html_row("th", header);
  const auto& first = methods.front().heads;
  for (std::size_t layer = 0; layer < first.size(); ++layer)
    for (std::size_t head = 0; head < first[layer].size(); ++head) {
      std::string row = "<tr><td>" + std::to_string(layer) + ", " + std::to_string(head) + "</td>";
      for (const MethodResult& method : methods)
        if (method.name != "teacher" && method.has_own_plans())
          row += "<td>" + base::format_fixed(method.heads[layer][head].plan_l1, 4) + "</td>";
      if (duals)
        row += "<td>" + base::format_fixed(data.study.heads[layer][head].dual_r2, 3) + "</td>";
      if (studied)
        row += "<td>" +
               spark(data.study.heads[layer][head].column_errors,
                     compiled ? compiled->heads[layer][head].column_error : 0) +
               "</td>";
      rows += row + "</tr>\n";
    }
  std::string note = "The numbers are the plan L1 of each head.";
  if (duals)
    note += " dual R²: share of the true dual's variance that the predicted dual explains.";
  if (studied)
    note += " The lines show the column error of Sinkhorn's plan after 0 to " +
            base::counted(data.study.heads[0][0].column_errors.size() - 1, "iteration") +
            ", on a logarithmic scale; dashed: the compiled operator. Measured on the "
            "first " +
            base::counted_plural(data.study.examples, data.comparison.examples_name) + ".";
  return html_section("Every head", html_table(rows) + html_paragraph(note, "soft"));
}

std::string dual_section(const ReportData& data, Figures& figures) {
  const CloudChart chart = dual_chart(data.study);
  if (chart.panels.empty()) return "";
  return html_section(
      "Predicted against true duals",
      figures.add(
          "duals", chart,
          "One dot for each of some queries of the first " +
              base::counted_plural(data.study.examples, data.comparison.examples_name) +
              ": horizontally the row dual that one more iteration turns into the teacher's plan, "
              "vertically the dual that the compiled operator predicts; both centred per example. "
              "On the line the prediction is exact."));
}

std::string column_error_section(const ReportData& data, Figures& figures) {
  const LineChart chart = column_error_chart(data);
  if (chart.lines.empty()) return "";
  return html_section(
      "Column error by iteration",
      figures.add(
          "column-error", chart,
          "Error of the plan's column sums after each Sinkhorn iteration on the network's queries "
          "and keys, mean over heads. Iteration 0 is softmax. The horizontal lines show the "
          "compiled "
          "operator, which does not iterate."));
}

std::string scaling_section(const ScalingCurves& scaling, Figures& figures) {
  if (scaling.empty()) return "";
  return html_section(
      "Time by number of tokens",
      html_paragraph(scaling_words(scaling)) +
          figures.add("scaling", scaling_chart(scaling),
                      "Generated heads of width " + std::to_string(scaling.head_width) + ", " +
                          base::counted(scaling.threads, "thread") +
                          "; times are divided by that of sinkhorn_exp, our own Sinkhorn loop: "
                          "below 1, a form "
                          "is faster. Measured without this network, by: " +
                          scaling.command));
}

std::string training_section(const TrainingCurves& training, Figures& figures) {
  if (training.empty()) return "";
  return html_section(
      "Training",
      "<div class=\"pair\">" +
          figures.add("loss", training_loss_chart(training),
                      "Cross-entropy of the training batches (neighbouring steps averaged) and of "
                      "the test set.") +
          figures.add("accuracy", training_accuracy_chart(training),
                      "Share of the labels predicted, of the same batches and test set.") +
          "</div>\n");
}

}  // namespace

std::string titled(const ReportContext& context, const std::string& what) {
  return (context.title.empty() ? "" : context.title + ": ") + what;
}

std::string provenance_section(const ReportContext& context, int threads) {
  std::vector<std::pair<std::string, std::string>> facts = {{"data", context.data},
                                                            {"threads", std::to_string(threads)}};
  facts.insert(facts.end(), context.versions.begin(), context.versions.end());
  return html_provenance(context.commands, facts);
}

std::string comparison_report(const ReportData& data, const PlotLibrary& library) {
  const Comparison& comparison = data.comparison;
  Page page{
      .title = titled(data.context, "attention methods compared"), .subtitle = {}, .content = {}};
  page.subtitle = base::counted_plural(comparison.examples, comparison.examples_name) +
                  " of the test data. " + data.context.model;
  Figures figures;
  page.content += headline(comparison) + html_list(comparison_words(comparison), "words");
  page.content += methods_section(comparison) + tradeoff_section(comparison, figures);
  page.content += plans_section(data.gallery) + distance_section(comparison, figures);
  page.content += heads_section(data) + dual_section(data, figures);
  page.content += column_error_section(data, figures) + scaling_section(data.scaling, figures);
  page.content += training_section(data.training, figures);
  page.content += provenance_section(data.context, comparison.threads);
  page.charts = std::move(figures.charts);
  if (!data.gallery.examples.empty()) page.plans = gallery_json(data.gallery);
  return html_page(page, library);
}

}  // namespace asap::evaluate
