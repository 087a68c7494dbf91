#include "evaluate/report/bench_report.h"

#include <cmath>

#include "base/files.h"
#include "base/format.h"
#include "base/processor.h"
#include "base/text.h"
#include "base/text_table.h"
#include "base/version.h"
#include "evaluate/draw/chart_json.h"
#include "evaluate/draw/html.h"
#include "evaluate/draw/svg_chart.h"
#include "evaluate/report/bench_plot.h"
#include "evaluate/report/report_charts.h"
#include "evaluate/report/report_words.h"

namespace asap::evaluate {
namespace {

/// A table of the report, before it becomes text or HTML: one row per form, one column per size.
struct Grid {
  std::string title, note;
  std::vector<std::vector<std::string>> rows = {};  // the first is the header
};

using Cell = std::function<std::string(const BenchRow& row, const FormResult& result)>;

/// Names of the forms measured or skipped, in the order of attention_forms().
std::vector<std::string> form_names(const BenchResult& result) {
  std::vector<std::string> names;
  for (const AttentionForm& form : attention_forms())
    if (!result.rows.empty() && result.rows.front().find(form.name)) names.emplace_back(form.name);
  return names;
}

/// Leaves out forms without a value at any size.
Grid make_grid(const BenchResult& result, std::string title, std::string note, const Cell& cell) {
  Grid grid{std::move(title), std::move(note)};
  grid.rows.push_back({"form"});
  for (const BenchRow& row : result.rows)
    grid.rows[0].push_back("N = " + std::to_string(row.tokens));
  for (const std::string& name : form_names(result)) {
    std::vector<std::string> cells = {name};
    bool any = false;
    for (const BenchRow& row : result.rows) {
      const FormResult* found = row.find(name);
      cells.push_back(found && found->skipped.empty() ? cell(row, *found) : "-");
      any = any || cells.back() != "-";
    }
    if (any) grid.rows.push_back(std::move(cells));
  }
  return grid;
}

/// milliseconds(form) / milliseconds(other); NaN when one of them is not there.
double ratio(const BenchRow& row, const FormResult& result, const std::string& other) {
  const FormResult* denominator = row.find(other);
  return denominator ? result.milliseconds / denominator->milliseconds : FormResult::kNone;
}

Grid growth_grid(const BenchResult& result) {
  Grid grid{"Growth", "exponents of N in a fit of log cost over log N, sizes of at least " +
                          std::to_string(kGrowthFrom) +
                          " tokens; memory beyond inputs and outputs"};
  grid.rows.push_back({"form", "time", "memory", "sizes"});
  for (const Growth& growth : fit_growth(result))
    if (!std::isnan(growth.time))
      grid.rows.push_back({growth.form, base::format_fixed(growth.time, 2),
                           base::format_fixed(growth.memory, 2), std::to_string(growth.sizes)});
  return grid;
}

Grid skipped_grid(const BenchResult& result) {
  Grid grid{"Not measured", "estimated from the size before"};
  grid.rows.push_back({"form", "N", "why"});
  for (const BenchRow& row : result.rows)
    for (const FormResult& form : row.forms)
      if (!form.skipped.empty())
        grid.rows.push_back({form.name, std::to_string(row.tokens), form.skipped});
  return grid;
}

Grid data_grid(const BenchResult& result) {
  Grid grid{
      "Data",
      "heads per turn; median over heads of the range of the scores; heads of all rounds that left "
      "the exp domain"};
  grid.rows.push_back({"N", "D", "heads", "range", "left the exp domain"});
  for (const BenchRow& row : result.rows) {
    std::string left;
    for (const FormResult& form : row.forms)
      if (form.log_domain_heads > 0 && form.name != "sinkhorn_log")
        left +=
            (left.empty() ? "" : ", ") + form.name + " " + std::to_string(form.log_domain_heads);
    grid.rows.push_back({std::to_string(row.tokens), std::to_string(row.head_width),
                         std::to_string(row.heads), base::format_fixed(row.logit_range, 1),
                         left.empty() ? "none" : left});
  }
  return grid;
}

/// Every table of the report that has rows.
std::vector<Grid> grids(const BenchResult& result) {
  std::vector<Grid> all;
  all.push_back(make_grid(result, "Milliseconds per head",
                          "medians over rounds, " + std::to_string(result.threads) + " threads",
                          [](const BenchRow&, const FormResult& form) {
                            return base::format_significant(form.milliseconds);
                          }));
  all.push_back(make_grid(result, "Divided by softmax", "1 is the time of softmax attention",
                          [](const BenchRow& row, const FormResult& form) {
                            return base::format_fixed(ratio(row, form, "softmax"), 2);
                          }));
  for (const std::string compiled : {"compiled", "compiled_tiled", "compiled_tiled_bf16"})
    all.push_back(make_grid(
        result, "Divided by " + compiled, "how many times as long the Sinkhorn forms take",
        [&](const BenchRow& row, const FormResult& form) {
          return is_sinkhorn_form(form.name) ? base::format_fixed(ratio(row, form, compiled), 2)
                                             : "-";
        }));
  all.push_back(
      make_grid(result, "Plan L1", "distance of the plan from float64 Sinkhorn's, at most 2",
                [](const BenchRow&, const FormResult& form) {
                  return std::isnan(form.plan_l1) ? "-" : base::format_significant(form.plan_l1);
                }));
  all.push_back(make_grid(result, "Output error", "relative to the output of float64 Sinkhorn",
                          [](const BenchRow&, const FormResult& form) {
                            return std::isnan(form.output_error)
                                       ? "-"
                                       : base::format_significant(form.output_error);
                          }));
  all.push_back(make_grid(
      result, "Fraction of the peak",
      "operations in matrix products / time / peak; the peak of multiply-adds in registers is " +
          base::format_fixed(result.peak_gflops, 1) + " GFLOP/s",
      [&](const BenchRow&, const FormResult& form) {
        return base::format_fixed(form.gflops() / result.peak_gflops, 3);
      }));
  all.push_back(make_grid(result, "Memory",
                          "scratch beyond inputs and outputs, the sum over threads",
                          [](const BenchRow&, const FormResult& form) {
                            return base::format_bytes(form.memory_bytes);
                          }));
  all.push_back(growth_grid(result));
  all.push_back(data_grid(result));
  all.push_back(skipped_grid(result));
  std::erase_if(all, [](const Grid& grid) { return grid.rows.size() < 2; });
  return all;
}

std::string text_of(const Grid& grid) {
  std::vector<base::Table::Column> columns;
  for (const std::string& title : grid.rows[0])
    columns.push_back(
        {title, columns.empty() ? base::Table::Align::left : base::Table::Align::right});
  base::Table table(std::move(columns));
  for (std::size_t i = 1; i < grid.rows.size(); ++i) table.add_row(grid.rows[i]);
  return grid.title + " (" + grid.note + ")\n" + table.text() + "\n";
}

std::string html_of(const Grid& grid) {
  std::string rows = html_row("th", grid.rows[0]);
  for (std::size_t i = 1; i < grid.rows.size(); ++i)
    rows += html_row("td", grid.rows[i], is_compiled_form(grid.rows[i][0]) ? "subject" : "");
  return html_section(grid.title, html_table(rows) + html_paragraph(grid.note, "soft"));
}

io::Json form_json(const BenchRow& row, const FormResult& form, double peak) {
  if (!form.skipped.empty()) return {{"skipped", form.skipped}};
  return {{"milliseconds", form.milliseconds},
          {"fastest_milliseconds", form.fastest},
          {"over_softmax", ratio(row, form, "softmax")},
          {"over_compiled", ratio(row, form, "compiled")},
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
  return command + " --out DIR";
}

/// Slope of the least-squares line through (log x, log y).
double log_slope(const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() < 2) return FormResult::kNone;
  double mean_x = 0, mean_y = 0, covariance = 0, variance = 0;
  const double count = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += std::log(x[i]) / count;
    mean_y += std::log(y[i]) / count;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    covariance += (std::log(x[i]) - mean_x) * (std::log(y[i]) - mean_y);
    variance += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
  }
  return covariance / variance;
}

/// Times of the main forms by number of tokens.
ScalingCurves main_curves(const BenchResult& result) {
  ScalingCurves scaling;
  for (const char* name :
       {"softmax", "sinkhorn_exp", "sinkhorn_tiled", "compiled", "compiled_tiled"}) {
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

std::vector<Growth> fit_growth(const BenchResult& result) {
  std::vector<Growth> all;
  for (const std::string& name : form_names(result)) {
    std::vector<double> tokens, time, memory;
    for (const BenchRow& row : result.rows) {
      const FormResult* form = row.find(name);
      if (row.tokens < kGrowthFrom || !form->skipped.empty()) continue;
      tokens.push_back(static_cast<double>(row.tokens));
      time.push_back(form->milliseconds);
      memory.push_back(static_cast<double>(std::max<std::int64_t>(form->memory_bytes, 1)));
    }
    all.push_back({name, log_slope(tokens, time), log_slope(tokens, memory),
                   static_cast<int>(tokens.size())});
  }
  return all;
}

std::string bench_text(const BenchResult& result) {
  std::string text;
  for (const Grid& grid : grids(result)) text += text_of(grid);
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
  return {{"scaling", scaling_chart(main_curves(result))}};
}

bool write_bench_report(const std::filesystem::path& folder, const BenchConfig& config,
                        const BenchResult& result, const PlotLibrary& library) {
  const bool drawn = draw_bench(result, form_names(result), folder / "scaling.svg");
  Page page{.title = "Attention benchmark", .subtitle = {}, .content = {}};
  page.subtitle =
      "Attention of one head on generated queries and keys whose scores are as sharp as those of "
      "trained teachers. The forms are interleaved in one process; their times include sorts, "
      "projections and centring.";
  if (result.rows.size() > 1) {
    const ScalingCurves scaling = main_curves(result);
    const LineChart chart = scaling_chart(scaling);
    page.content += html_paragraph(scaling_words(scaling));
    page.charts["scaling"] = chart_json(chart);
    page.content += html_figure(
        "scaling", render_svg(chart),
        "Milliseconds per head by number of tokens, both logarithmic, of the main forms." +
            std::string(drawn ? " scaling.svg shows all forms, with their memory." : ""));
  }
  for (const Grid& grid : grids(result)) page.content += html_of(grid);
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
