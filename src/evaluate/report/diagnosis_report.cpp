#include "evaluate/report/diagnosis_report.h"

#include "base/counted.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text_table.h"
#include "evaluate/draw/chart_json.h"
#include "evaluate/draw/html.h"
#include "evaluate/draw/svg_chart.h"
#include "evaluate/report/report_page.h"
#include "evaluate/study/diagnosis_verdict.h"

namespace asap::evaluate {
namespace {

constexpr const char* kColumns[] = {"method",       "layer",       "sink share",   "entropy",
                                    "column error", "logit range", "rank residual"};

constexpr const char* kNote =
    "sink share: share of all attention that the most attended key receives (1 / tokens if all "
    "keys "
    "receive the same). entropy: of a query's attention, 1 if uniform. column error: mean relative "
    "error of the plan's column sums. logit range: largest score minus smallest. rank residual: "
    "distance of the tokens after the layer from their mean, relative to their size. Every method "
    "runs in all layers, so deeper layers see its effect on the tokens.";

/// Cells of one layer of one method, under kColumns; of one head where `head` is given.
std::vector<std::string> cells(const MethodDiagnosis& method, std::size_t layer,
                               const std::string& name, const PlanMeasures& measures) {
  return {method.name,
          name,
          base::format_fixed(measures.sink_share, 4),
          base::format_fixed(measures.entropy, 4),
          base::format_fixed(measures.column_error, 4),
          base::format_fixed(measures.logit_range, 2),
          base::format_fixed(method.rank_residuals[layer + 1], 4)};
}

PlanMeasures layer_mean(const std::vector<PlanMeasures>& heads) {
  PlanMeasures mean;
  for (const PlanMeasures& head : heads) mean += head;
  mean *= 1 / static_cast<double>(heads.size());
  return mean;
}

LineChart depth_chart(const Diagnosis& diagnosis, const std::string& title, const std::string& y,
                      double PlanMeasures::*measure) {
  LineChart chart{title, "layer", y, {}};
  for (const MethodDiagnosis& method : diagnosis.methods)
    chart.lines.push_back({method.name, by_layer(method, measure), family_of(method.name)});
  return chart;
}

LineChart rank_chart(const Diagnosis& diagnosis) {
  LineChart chart{"Rank collapse by depth", "layers passed", "relative residual to rank one", {}};
  for (const MethodDiagnosis& method : diagnosis.methods)
    chart.lines.push_back({method.name, method.rank_residuals, family_of(method.name)});
  return chart;
}

/// Attention alone beside its bound: the teacher's, which the others' differ from only in the size
/// of the tokens that it is divided by.
LineChart pure_chart(const Diagnosis& diagnosis) {
  LineChart chart{
      "Rank collapse of attention alone", "layers passed", "relative residual to rank one", {}};
  chart.log_y = true;
  for (const MethodDiagnosis& method : diagnosis.methods)
    if (!method.pure_residuals.empty())
      chart.lines.push_back({method.name, method.pure_residuals, family_of(method.name)});
  for (const MethodDiagnosis& method : diagnosis.methods)
    if (!method.pure_bounds.empty()) {
      chart.lines.push_back({"bound, " + method.name, method.pure_bounds, Family::other});
      break;
    }
  return chart;
}

/// Column error by iteration, one line per layer, and that of a compiled operator as a horizontal
/// line.
LineChart iteration_chart(const Diagnosis& diagnosis) {
  LineChart chart{"Column error by iteration", "Sinkhorn iterations", "column error", {}};
  chart.log_y = true;
  std::size_t points = 0;
  for (const MethodDiagnosis& method : diagnosis.methods)
    for (std::size_t layer = 0; layer < method.column_errors.size(); ++layer) {
      const auto& heads = method.column_errors[layer];
      std::vector<double> mean(heads.front().size());
      for (const auto& head : heads)
        for (std::size_t t = 0; t < head.size(); ++t)
          mean[t] += head[t] / static_cast<double>(heads.size());
      points = mean.size();
      chart.lines.push_back({"layer " + std::to_string(layer), mean, Family::teacher});
    }
  for (const MethodDiagnosis& method : diagnosis.methods) {
    if (points == 0 || family_of(method.name) != Family::compiled) continue;
    const std::vector<double> layers = by_layer(method, &PlanMeasures::column_error);
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
      chart.lines.push_back({method.name + ", layer " + std::to_string(layer),
                             std::vector<double>(points, layers[layer]), Family::compiled});
  }
  return chart;
}

/// A picture, the name of its file without ".svg", and what it shows.
struct Picture {
  const char* name;
  LineChart chart;
  const char* caption;
};

std::vector<Picture> pictures(const Diagnosis& diagnosis) {
  std::vector<Picture> all = {
      {"rank_collapse", rank_chart(diagnosis),
       "How different the tokens are from each other, before the first layer and after each layer; "
       "0: all are equal."},
      {"pure_rank_collapse", pure_chart(diagnosis),
       "The same for the network's attention layers alone, without residual connections, "
       "feed-forward parts and layer norms, beside the doubly exponential bound (1: it bounds "
       "nothing); below 1e-6 only rounding is left."},
      {"entropy", depth_chart(diagnosis, "Entropy of attention", "entropy", &PlanMeasures::entropy),
       "How evenly a query attends: 1 to all keys equally, 0 to a single key; mean over heads."},
      {"attention_sinks",
       depth_chart(diagnosis, "Attention sinks", "sink share", &PlanMeasures::sink_share),
       "Share of all attention that the most attended key receives; mean over heads."}};
  const LineChart iterations = iteration_chart(diagnosis);
  if (!iterations.lines.empty())
    all.push_back({"column_error", iterations,
                   "Error of the plan's column sums after each Sinkhorn iteration, on a "
                   "logarithmic scale. The "
                   "horizontal lines show the compiled operator."});
  return all;
}

std::string heads_table(const Diagnosis& diagnosis) {
  std::vector<std::string> header(std::begin(kColumns), std::end(kColumns));
  header[1] = "layer, head";
  std::string rows = html_row("th", header);
  for (const MethodDiagnosis& method : diagnosis.methods)
    for (std::size_t layer = 0; layer < method.heads.size(); ++layer)
      for (std::size_t head = 0; head < method.heads[layer].size(); ++head)
        rows += html_row("td",
                         cells(method, layer, std::to_string(layer) + ", " + std::to_string(head),
                               method.heads[layer][head]),
                         family_of(method.name) == Family::compiled ? "subject" : "");
  return html_table(rows);
}

/// "layer 0: 8.1, 9.3": 1 + c of every head.
std::vector<std::string> bound_lines(const Diagnosis& diagnosis) {
  std::vector<std::string> lines;
  for (std::size_t layer = 0; layer < diagnosis.column_bounds.size(); ++layer) {
    std::string line = "slack: layer " + std::to_string(layer) + ": a token receives at most ";
    const char* separator = "";
    for (const double bound : diagnosis.column_bounds[layer]) {
      line += separator + base::format_significant(bound);
      separator = ", ";
    }
    lines.push_back(line + " times the mean (1 + c by head)");
  }
  return lines;
}

std::string mass_words(const std::vector<TokenMass>& masses) {
  std::string words;
  for (const TokenMass& mass : masses)
    words += (words.empty() ? "" : ", ") + mass.token + " " + base::format_fixed(mass.mass, 2);
  return words;
}

/// "attention received, layer 0: most angry 6.80, ...; least the 0.40, ..."
std::vector<std::string> mass_lines(const Diagnosis& diagnosis) {
  std::vector<std::string> lines;
  for (const MethodDiagnosis& method : diagnosis.methods)
    for (std::size_t layer = 0; layer < method.masses.size(); ++layer) {
      const LayerMasses& masses = method.masses[layer];
      if (masses.most.empty()) continue;
      lines.push_back("attention received relative to the mean, layer " + std::to_string(layer) +
                      ": most " + mass_words(masses.most) + "; least " + mass_words(masses.least));
    }
  return lines;
}

io::Json masses_json(const std::vector<TokenMass>& masses) {
  io::Json json = io::Json::array();
  for (const TokenMass& mass : masses)
    json.push_back({{"token", mass.token}, {"occurrences", mass.occurrences}, {"mass", mass.mass}});
  return json;
}

/// [layer]: {"most", "least"}
io::Json layers_json(const std::vector<LayerMasses>& layers) {
  io::Json json = io::Json::array();
  for (const LayerMasses& layer : layers)
    json.push_back({{"most", masses_json(layer.most)}, {"least", masses_json(layer.least)}});
  return json;
}

io::Json head_json(const MethodDiagnosis& method, std::size_t layer, std::size_t head) {
  const PlanMeasures& measures = method.heads[layer][head];
  io::Json json = {{"layer", layer},
                   {"head", head},
                   {"sink_share", measures.sink_share},
                   {"sink_factor", measures.sink_factor},
                   {"entropy", measures.entropy},
                   {"column_error", measures.column_error},
                   {"logit_range", measures.logit_range}};
  if (!method.column_errors.empty())
    json["column_error_by_iteration"] = method.column_errors[layer][head];
  return json;
}

}  // namespace

std::string diagnosis_table(const Diagnosis& diagnosis) {
  std::vector<base::Table::Column> columns;
  for (const char* title : kColumns)
    columns.push_back(
        {title, columns.empty() ? base::Table::Align::left : base::Table::Align::right});
  base::Table table(std::move(columns));
  for (const MethodDiagnosis& method : diagnosis.methods)
    for (std::size_t layer = 0; layer < method.heads.size(); ++layer)
      table.add_row(cells(method, layer, std::to_string(layer), layer_mean(method.heads[layer])));
  std::string verdict;
  for (const std::string& sentence : diagnosis_verdict(diagnosis)) verdict += sentence + "\n";
  std::string masses;
  for (const auto& lines : {bound_lines(diagnosis), mass_lines(diagnosis)})
    for (const std::string& line : lines) masses += line + "\n";
  return verdict + (verdict.empty() ? "" : "\n") + table.text() +
         (masses.empty() ? "" : "\n" + masses);
}

io::Json diagnosis_summary(const Diagnosis& diagnosis, const ReportContext& context) {
  io::Json methods = io::Json::array();
  for (const MethodDiagnosis& method : diagnosis.methods) {
    io::Json heads = io::Json::array();
    for (std::size_t layer = 0; layer < method.heads.size(); ++layer)
      for (std::size_t head = 0; head < method.heads[layer].size(); ++head)
        heads.push_back(head_json(method, layer, head));
    methods.push_back(
        {{"name", method.name}, {"heads", heads}, {"rank_residual", method.rank_residuals}});
    methods.back()["pure_rank_residual"] = method.pure_residuals;
    if (!method.pure_bounds.empty()) methods.back()["pure_rank_bound"] = method.pure_bounds;
    if (!method.masses.empty()) methods.back()["token_mass"] = layers_json(method.masses);
  }
  io::Json versions = io::Json::object();
  for (const auto& [name, value] : context.versions) versions[name] = value;
  return {{"verdict", diagnosis_verdict(diagnosis)},
          {"methods", methods},
          {"column_bounds", diagnosis.column_bounds},
          {"collapse_base", diagnosis.collapse_base},
          {"theorem_base", diagnosis.theorem_base},
          {"examples", diagnosis.examples},
          {"tokens", diagnosis.tokens},
          {"data", context.data},
          {"model", context.model},
          {"commands", context.commands},
          {"versions", versions}};
}

std::string diagnosis_report(const Diagnosis& diagnosis, const ReportContext& context,
                             const PlotLibrary& library) {
  Page page{.title = titled(context, "attention diagnosed"), .subtitle = {}, .content = {}};
  page.content += html_list(diagnosis_verdict(diagnosis), "words");
  page.subtitle = base::counted_plural(diagnosis.examples, diagnosis.examples_name) + " of " +
                  base::format_fixed(diagnosis.tokens, 1) + " tokens on average. " + context.model;
  for (const Picture& picture : pictures(diagnosis)) {
    page.charts[picture.name] = chart_json(picture.chart);
    page.content += html_section(
        picture.chart.title, html_figure(picture.name, render_svg(picture.chart), picture.caption));
  }
  if (!diagnosis.column_bounds.empty())
    page.content += html_section("Slack", html_list(bound_lines(diagnosis), "words"));
  if (const std::vector<std::string> lines = mass_lines(diagnosis); !lines.empty())
    page.content += html_section("Attention received", html_list(lines, "words"));
  page.content +=
      html_section("Every head", heads_table(diagnosis) + html_paragraph(kNote, "soft"));
  page.content += provenance_section(context, diagnosis.threads);
  return html_page(page, library);
}

std::vector<PaperFigure> diagnosis_figures(const Diagnosis& diagnosis) {
  std::vector<PaperFigure> figures;
  for (const Picture& picture : pictures(diagnosis))
    figures.push_back({picture.name, picture.chart});
  return figures;
}

void write_diagnosis(const std::filesystem::path& folder, const Diagnosis& diagnosis,
                     const ReportContext& context, const PlotLibrary& library) {
  for (const Picture& picture : pictures(diagnosis))
    base::write_file_atomically(folder / (std::string(picture.name) + ".svg"),
                                render_svg(picture.chart));
  base::write_file_atomically(folder / "report.html",
                              diagnosis_report(diagnosis, context, library));
}

}  // namespace asap::evaluate
