// The files, the summary and the text of a fit of several inputs (ridge_run.h).

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/files.h"
#include "base/format.h"
#include "base/picture.h"
#include "base/text.h"
#include "base/text_table.h"
#include "region/network/region_map.h"
#include "region/run/network_files.h"
#include "region/run/ridge_run.h"

namespace asap::region {
namespace {

std::vector<double> predict(const RidgeRun& run) {
  std::vector<double> prediction(run.test.y.size());
  run.network.evaluate(run.test.x.rows(), prediction);
  return prediction;
}

std::string csv_field(const std::string& name) {
  if (name.find_first_of(",\"\n") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_of(const RidgeRun& run, const std::vector<double>& prediction) {
  std::string csv;
  for (const std::string& name : run.training.inputs) csv += csv_field(name) + ",";
  csv += csv_field(run.training.target) + ",fit,error\n";
  for (std::size_t i = 0; i < prediction.size(); ++i) {
    for (const double x : run.test.row(static_cast<std::int64_t>(i)))
      csv += base::format_number(x) + ",";
    csv += base::format_number(run.test.y[i]) + "," + base::format_number(prediction[i]) + "," +
           base::format_number(prediction[i] - run.test.y[i]) + "\n";
  }
  return csv;
}

/// Fit against target on the test rows.
bool draw_scatter(const RidgeRun& run, const std::vector<double>& prediction,
                  const std::filesystem::path& svg, const std::filesystem::path& png) {
  constexpr std::size_t kMostPoints = 2000;
  std::string data = "$rows << END_OF_DATA\n";
  for (std::size_t i = 0; i < std::min(prediction.size(), kMostPoints); ++i)
    data += base::format_number(run.test.y[i]) + " " + base::format_number(prediction[i]) + "\n";
  data += "END_OF_DATA\n";
  const std::string body =
      "set title " + base::gnuplot_quoted(run.training.target + " on the test rows") +
      " noenhanced\nset xlabel 'target'\nset ylabel 'fit'\nset grid lc rgb '#dddddd'\nset border "
      "lc rgb '#444444'\nset key top left\nplot x with lines lw 1 lc rgb '#999999' title 'equal', "
      "$rows using 1:2 with points pt 7 ps 0.35 lc rgb '#1f77b4' title 'rows'\n";
  return base::draw_pictures({{svg, "svg size 640, 560 font 'sans,13' background rgb 'white'"},
                              {png, "pngcairo size 640, 560"}},
                             data, body);
}

/// The range of rows of two inputs.
Rectangle rectangle_of(const Rows& rows) {
  Rectangle result;
  for (std::int64_t j = 0; j < 2; ++j) {
    double low = rows.x[j], high = low;
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      low = std::min(low, rows.x[i * 2 + j]);
      high = std::max(high, rows.x[i * 2 + j]);
    }
    (j == 0 ? result.x : result.y) = {low, high};
  }
  return result;
}

void write_regions(const RidgeRun& run, const std::filesystem::path& path) {
  const Rectangle rectangle = run.config.function.empty()
                                  ? rectangle_of(run.training.rows)
                                  : Rectangle{run.config.interval(), run.config.interval()};
  const std::vector<RegionPolygon> polygons = region_polygons(run.network, rectangle);
  base::write_file_atomically(
      path, draw_regions(polygons, rectangle, {run.training.inputs[0], run.training.inputs[1]},
                         run.training.target + ": " +
                             base::format_count(static_cast<std::int64_t>(polygons.size())) +
                             " regions"));
}

io::Json regions_json(const SegmentRegions& regions) {
  return {{"mean", regions.mean}, {"min", regions.least}, {"max", regions.most}};
}

}  // namespace

std::vector<std::string> write_ridge_fit(const RidgeRun& run, const std::filesystem::path& folder) {
  const auto interval =
      run.config.function.empty() ? std::nullopt : std::optional(run.config.interval());
  const StoredNetwork stored{run.network, interval, run.training.inputs, run.training.target};
  write_network_files(stored, run.config.name, "Fit of " + run.training.target + ".", folder);
  const std::vector<double> prediction = predict(run);
  base::write_file_atomically(folder / "fit.csv", csv_of(run, prediction));
  if (run.training.inputs.size() == 2) write_regions(run, folder / "regions.svg");
  if (draw_scatter(run, prediction, folder / "fit.svg", folder / "fit.png")) return {};
  return {"no fit.svg and fit.png: gnuplot could not be run"};
}

io::Json ridge_fit_summary(const RidgeRun& run) {
  const MethodResult& region = run.results.front();
  io::Json methods = io::Json::array();
  for (const MethodResult& result : run.results)
    methods.push_back({{"name", result.fit.method},
                       {"network", result.fit.description},
                       {"parameters", result.fit.parameters},
                       {"training_mse", result.training},
                       {"validation_mse", result.validation},
                       {"test_mse", result.test},
                       {"explained", result.explained},
                       {"regions", result.regions ? regions_json(*result.regions) : io::Json()},
                       {"seconds", result.seconds}});
  return {
      {"target", run.training.target},
      {"inputs", run.training.inputs},
      {"rows",
       {{"training", run.training.rows.size()},
        {"validation", run.validation.size()},
        {"test", run.test.size()}}},
      {"seed", run.config.seed},
      {"ridges", run.ridge.kind == RidgeKind::linear ? 0 : run.ridge.shape.blocks},
      {"linear_term", run.ridge.linear_term},
      {"depth", run.network.depth()},
      {"fold", run.ridge.fold},
      {"parameters", region.fit.parameters},
      {"training_mse", region.training},
      {"validation_mse", region.validation},
      {"test_mse", region.test},
      {"explained", region.explained},
      {"folded", {{"test_mse", run.folded_test}, {"regions", regions_json(run.folded_regions)}}},
      {"regions", regions_json(*region.regions)},
      {"methods", methods},
      {"seconds", region.seconds}};
}

std::string ridge_fit_text(const RidgeRun& run) {
  std::string text = run.training.target + " of " + base::join(run.training.inputs, ", ") + ": " +
                     base::format_count(run.training.rows.size()) + " training, " +
                     base::format_count(run.validation.size()) + " validation, " +
                     base::counted(run.test.size(), "test row") + "\n\n";
  base::Table table({{"method", base::Table::Align::left},
                     {"network", base::Table::Align::left},
                     {"parameters"},
                     {"training mse"},
                     {"validation mse"},
                     {"test mse"},
                     {"explained"},
                     {"regions"},
                     {"seconds"}});
  table.add_row({"folded", "before the raw weights",
                 base::format_count(run.results[0].fit.parameters), "", "",
                 base::format_significant(run.folded_test), "",
                 base::format_fixed(run.folded_regions.mean, 1), ""});
  for (const MethodResult& result : run.results)
    table.add_row(
        {result.fit.method, result.fit.description, base::format_count(result.fit.parameters),
         base::format_significant(result.training), base::format_significant(result.validation),
         base::format_significant(result.test), base::format_fixed(result.explained, 4),
         result.regions ? base::format_fixed(result.regions->mean, 1) : "-",
         base::format_fixed(result.seconds, 1)});
  return text + table.text() +
         "\nexplained: share of the variance of the test target. regions: activation regions on "
         "the\nsegment between two test rows, mean of 64 segments.\n";
}

}  // namespace asap::region
