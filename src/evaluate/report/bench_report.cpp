#include "evaluate/report/bench_report.h"

#include "base/files.h"
#include "base/format.h"
#include "base/processor.h"
#include "base/text.h"
#include "base/version.h"
#include "config/changed_fields.h"
#include "evaluate/draw/chart_json.h"
#include "evaluate/draw/html.h"
#include "evaluate/draw/svg_chart.h"
#include "evaluate/report/bench_digest.h"
#include "evaluate/report/bench_plot.h"
#include "evaluate/report/bench_tables.h"
#include "evaluate/report/report_charts.h"

namespace asap::evaluate {
namespace {

std::string grid_html(const Grid& grid) {
  std::string rows = html_row("th", grid.rows[0]);
  for (std::size_t i = 1; i < grid.rows.size(); ++i)
    rows += html_row("td", grid.rows[i], is_compiled_form(grid.rows[i][0]) ? "subject" : "");
  return html_section(grid.title, html_table(rows) + html_paragraph(grid.note, "soft"));
}

io::Json form_json(const BenchRow& row, const FormResult& form, double peak) {
  if (!form.skipped.empty()) return {{"skipped", form.skipped}};
  return {{"milliseconds", form.milliseconds},
          {"fastest_milliseconds", form.fastest},
          {"over_softmax", time_ratio(row, form, "softmax")},
          {"over_compiled", time_ratio(row, form, "compiled")},
          {"memory_bytes", form.memory_bytes},
          {"log_domain_heads", form.log_domain_heads},
          {"product_operations", form.product_operations},
          {"gflops", form.gflops()},
          {"fraction_of_peak", form.gflops() / peak},
          {"plan_l1", form.plan_l1},
          {"output_error", form.output_error}};
}

std::string command_line(const BenchConfig& config, const BenchResult& result) {
  std::string sizes;
  for (const int size : config.sizes) sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
  std::string command =
      "asap-eval bench --sizes " + sizes + " --head-width " + std::to_string(config.head_width) +
      " --iterations " + std::to_string(config.iterations) + " --slices " +
      std::to_string(config.slices) + " --rounds " + std::to_string(config.rounds) +
      " --logit-range " + base::format_number(config.logit_range) + " --threads " +
      std::to_string(result.threads) + " --seed " + std::to_string(config.seed);
  if (config.heads > 0) command += " --heads " + std::to_string(config.heads);
  if (!config.forms.empty()) command += " --forms " + base::join(config.forms, ",");
  BenchConfig named;  // what has an option of its own
  named.sizes = config.sizes;
  named.head_width = config.head_width;
  named.iterations = config.iterations;
  named.slices = config.slices;
  named.forms = config.forms;
  named.heads = config.heads;
  named.rounds = config.rounds;
  named.logit_range = config.logit_range;
  named.seed = config.seed;
  return command + config::set_options(config::to_json(config), config::to_json(named)) +
         " --out DIR";
}

/// Times of all forms by number of tokens.
ScalingCurves curves_of(const BenchResult& result) {
  ScalingCurves scaling;
  for (const std::string& name : form_names(result)) {
    ScalingCurve curve{name, {}, {}};
    for (const BenchRow& row : result.rows)
      if (const FormResult* form = row.find(name); form && form->skipped.empty()) {
        curve.tokens.push_back(static_cast<double>(row.tokens));
        curve.milliseconds.push_back(form->milliseconds);
      }
    if (!curve.tokens.empty()) scaling.curves.push_back(std::move(curve));
  }
  return scaling;
}

}  // namespace

std::string bench_text(const BenchConfig& config, const BenchResult& result) {
  if (config.forms.empty()) return bench_digest(config, result);
  std::string text;
  for (const Grid& grid : bench_grids(result)) text += grid_text(grid);
  if (const std::string warning = busy_warning(result); !warning.empty()) text += warning + "\n";
  return text;
}

io::Json bench_summary(const BenchConfig& config, const BenchResult& result) {
  io::Json rows = io::Json::array(), growth = io::Json::array();
  for (const BenchRow& row : result.rows) {
    io::Json forms = io::Json::object();
    io::Json entry = {{"n", row.tokens},
                      {"d", row.head_width},
                      {"heads", row.heads},
                      {"logit_range", row.logit_range}};
    for (const FormResult& form : row.forms) {
      if (form.skipped.empty()) entry[form.name] = form.milliseconds;
      forms[form.name] = form_json(row, form, result.peak_gflops);
    }
    entry["forms"] = forms;
    rows.push_back(entry);
  }
  for (const Growth& one : fit_growth(result))
    growth.push_back({{"form", one.form},
                      {"time_exponent", one.time},
                      {"memory_exponent", one.memory},
                      {"sizes", one.sizes},
                      {"from_tokens", kGrowthFrom}});
  return {{"rows", rows},
          {"growth", growth},
          {"peak_gflops", result.peak_gflops},
          {"peak_disturbed", !busy_warning(result).empty()},
          {"threads", result.threads},
          {"configuration", config::to_json(config)},
          {"command", command_line(config, result)},
          {"versions",
           {{"toolkit", base::version()},
            {"commit", base::source_commit()},
            {"build", base::build_description()}}}};
}

std::vector<PaperFigure> bench_figures(const BenchResult& result) {
  if (result.rows.size() < 2) return {};
  return {{"scaling", scaling_chart(curves_of(result))}};
}

bool write_bench_report(const std::filesystem::path& folder, const BenchConfig& config,
                        const BenchResult& result, const PlotLibrary& library) {
  const bool drawn = draw_bench(result, form_names(result), folder / "scaling.svg");
  Page page{.title = "Attention benchmark", .subtitle = {}, .content = {}};
  page.subtitle =
      "Attention of one head on generated queries and keys whose scores are as sharp as those of "
      "trained teachers. The forms are interleaved in one process; their times include sorts, "
      "projections and centring.";
  page.content += html_paragraph(bench_conclusion(config, result));
  page.content += html_paragraph(busy_warning(result));
  if (result.rows.size() > 1) {
    const ScalingCurves scaling = curves_of(result);
    const LineChart chart = scaling_chart(scaling);
    page.charts["scaling"] = chart_json(chart);
    page.content += html_figure(
        "scaling", render_svg(chart),
        "Time of the main forms by number of tokens, divided by that of our own Sinkhorn loop "
        "(sinkhorn_exp): below 1, a form is faster." +
            std::string(drawn ? " scaling.svg shows all forms, with their memory." : ""));
  }
  for (const Grid& grid : bench_grids(result)) page.content += grid_html(grid);
  std::string forms;
  for (const AttentionForm& form : attention_forms())
    forms += html_row("td", {form.name, form.meaning});
  page.content += html_section("Forms", html_table(forms, "facts"));
  page.content += html_section(
      "How to reproduce this report",
      "<pre>" + base::escape_markup(command_line(config, result)) + "</pre>\n" +
          html_paragraph("toolkit " + base::version() + " " + base::source_commit() + ", " +
                             base::build_description() + "; " + base::processor_description(),
                         "soft"));
  base::write_file_atomically(folder / "report.html", html_page(page, library));
  return drawn;
}

}  // namespace asap::evaluate
