#include "evaluate/report/drift_report.h"

#include <algorithm>

#include "base/counted.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text_table.h"
#include "evaluate/draw/chart_json.h"
#include "evaluate/draw/html.h"
#include "evaluate/draw/svg_chart.h"
#include "evaluate/report/report_page.h"

namespace asap::evaluate {
namespace {

constexpr const char* kDriftColumns[] = {"layer, head", "calibration median", "median here",
                                         "beyond .95",  "distance",           "probability",
                                         "verdict"};

constexpr const char* kDriftNote =
    "calibration median, median here: of the head's column errors, one per example. beyond .95: "
    "share of the errors here above the .95 quantile of the calibration, .05 when nothing has "
    "changed. distance: largest difference of the two distribution functions. probability: of such "
    "a distance or a larger one if nothing has changed, times the number of heads. The teacher "
    "computes the inputs of every head, here and at calibration.";

std::vector<std::string> drift_cells(const HeadDrift& head) {
  return {std::to_string(head.layer) + ", " + std::to_string(head.head),
          base::format_significant(head.calibration_median()),
          base::format_significant(head.median()),
          base::format_fixed(head.beyond, 3),
          base::format_fixed(head.distance, 3),
          head.probability < 1e-99 ? "0" : base::format_significant(head.probability),
          head.shifted ? "shifted" : ""};
}

const HeadDrift& most_drifted(const Drift& drift) {
  return *std::ranges::max_element(drift.heads, {}, &HeadDrift::distance);
}

/// The quantiles of ascending errors at 0, 1, ..., 100 %.
ChartLine quantile_line(const std::string& label, const std::vector<float>& sorted, Family family) {
  const attention::ColumnErrors errors{.sorted = sorted};
  ChartLine line{label, {}, family};
  for (int percent = 0; percent <= 100; ++percent)
    line.values.push_back(errors.quantile(0.01 * percent));
  return line;
}

LineChart quantile_chart(const Drift& drift) {
  const HeadDrift& head = most_drifted(drift);
  LineChart chart{"Column errors of layer " + std::to_string(head.layer) + ", head " +
                      std::to_string(head.head),
                  "examples, %",
                  "column error",
                  {quantile_line("calibration", head.calibration, Family::teacher),
                   quantile_line("here", head.live, Family::compiled)}};
  chart.log_y = true;
  return chart;
}

constexpr const char* kDriftCaption =
    "The head with the largest distance. A point says which share of the examples have at most "
    "this "
    "column error.";

}  // namespace

std::string drift_table(const Drift& drift) {
  std::vector<base::Table::Column> columns;
  for (const char* title : kDriftColumns)
    columns.push_back(
        {title, columns.empty() ? base::Table::Align::left : base::Table::Align::right});
  base::Table table(std::move(columns));
  for (const HeadDrift& head : drift.heads) table.add_row(drift_cells(head));
  std::string text;
  for (const std::string& sentence : drift_words(drift)) text += sentence + "\n";
  return text + "\n" + table.text();
}

io::Json drift_summary(const Drift& drift, const ReportContext& context) {
  io::Json heads = io::Json::array();
  for (const HeadDrift& head : drift.heads)
    heads.push_back({{"layer", head.layer},
                     {"head", head.head},
                     {"shifted", head.shifted},
                     {"distance", head.distance},
                     {"probability", head.probability},
                     {"beyond_q95", head.beyond},
                     {"median", head.median()},
                     {"calibration_median", head.calibration_median()}});
  io::Json versions = io::Json::object();
  for (const auto& [name, value] : context.versions) versions[name] = value;
  return {{"verdict", drift_words(drift)},
          {"shifted", drift.shifted()},
          {"enough_examples", drift.can_tell()},
          {"level", drift.level},
          {"examples", drift.examples},
          {"calibration_examples", drift.heads.at(0).calibration.size()},
          {"heads", heads},
          {"threads", drift.threads},
          {"data", context.data},
          {"model", context.model},
          {"commands", context.commands},
          {"versions", versions}};
}

std::string drift_report(const Drift& drift, const ReportContext& context,
                         const PlotLibrary& library) {
  Page page{.title = titled(context, "drift of the inputs"), .subtitle = {}, .content = {}};
  page.subtitle = base::counted_plural(drift.examples, drift.examples_name) + ". " + context.model;
  page.content += html_list(drift_words(drift), "words");
  const LineChart chart = quantile_chart(drift);
  page.charts["column_errors"] = chart_json(chart);
  page.content +=
      html_section(chart.title, html_figure("column_errors", render_svg(chart), kDriftCaption));
  std::string rows =
      html_row("th", std::vector<std::string>(std::begin(kDriftColumns), std::end(kDriftColumns)));
  for (const HeadDrift& head : drift.heads)
    rows += html_row("td", drift_cells(head), head.shifted ? "subject" : "");
  page.content += html_section("Every head", html_table(rows) + html_paragraph(kDriftNote, "soft"));
  page.content += provenance_section(context, drift.threads);
  return html_page(page, library);
}

void write_drift(const std::filesystem::path& folder, const Drift& drift,
                 const ReportContext& context, const PlotLibrary& library) {
  base::write_file_atomically(folder / "column_errors.svg", render_svg(quantile_chart(drift)));
  base::write_file_atomically(folder / "report.html", drift_report(drift, context, library));
}

}  // namespace asap::evaluate
