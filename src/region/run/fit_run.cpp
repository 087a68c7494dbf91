#include "region/run/fit_run.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "base/text_table.h"
#include "base/timing.h"
#include "region/fit/windowed_fit.h"
#include "region/run/network_files.h"
#include "region/run/pieces_report.h"
#include "region/run/plot.h"

namespace asap::region {
namespace {

constexpr int kShapeWindows = 8;  // of keep_shape without a number of windows

Target make_target(const FitConfig& config) {
  if (!config.function.empty())
    return function_target(config.function, config.interval(), config.training_points());
  return data_target(config.data, config.cut_data ? std::optional(config.interval()) : std::nullopt,
                     {config.x_column, config.y_column, config.weight_column});
}

std::string shape_text(const FunctionShape& shape) {
  std::vector<std::string> words;
  if (shape.convex) words.emplace_back("convex");
  if (shape.concave) words.emplace_back("concave");
  if (shape.increasing) words.emplace_back("increasing");
  if (shape.decreasing) words.emplace_back("decreasing");
  return words.empty() ? "neither convex nor concave nor monotone" : base::join(words, ", ");
}

/// 1 - mse / variance of y, weighted, over the points behind the samples.
double r_squared(const Samples& samples, double scatter, double mse) {
  const double total = samples.total_weight();
  double mean = 0, variance = scatter;
  for (std::int64_t i = 0; i < samples.size(); ++i)
    mean += samples.weight_at(i) / total * samples.y[static_cast<std::size_t>(i)];
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    const double deviation = samples.y[static_cast<std::size_t>(i)] - mean;
    variance += samples.weight_at(i) / total * deviation * deviation;
  }
  if (variance > 0) return 1 - mse / variance;
  return mse > 0 ? -std::numeric_limits<double>::infinity() : 1;
}

std::string tolerance_text(const std::vector<ToleranceTrial>& trials) {
  base::Table table({{"depth"}, {"fold"}, {"windows"}, {"parameters"}, {"max error"}, {"reached"}});
  for (const ToleranceTrial& trial : trials)
    table.add_row({std::to_string(trial.depth), std::to_string(trial.fold),
                   std::to_string(trial.windows), base::format_count(trial.parameters),
                   base::format_significant(trial.max_error), trial.reached ? "yes" : "no"});
  return table.text() + "\n";
}

void write_csv(const Target& target, const ReluNetwork& network, const std::filesystem::path& path,
               FitPlot& plot) {
  const Samples even = even_samples(target.reference(), target.interval, 2001);
  plot.x = even.x;
  plot.target = even.y;
  plot.fit.resize(even.x.size());
  network.evaluate(even.x, plot.fit);
  std::string csv = "x,target,fit,error\n";
  for (std::size_t i = 0; i < even.x.size(); ++i)
    csv += base::format_number(even.x[i]) + "," + base::format_number(even.y[i]) + "," +
           base::format_number(plot.fit[i]) + "," + base::format_number(plot.fit[i] - even.y[i]) +
           "\n";
  base::write_file_atomically(path, csv);
}

}  // namespace

FitMeasures measure_fit(const Target& target, const ReluNetwork& network,
                        const std::optional<double>& floor) {
  FitMeasures measures;
  std::vector<double> prediction(target.samples.x.size());
  network.evaluate(target.samples.x, prediction);
  const double scatter = target.spread.mean_variance(target.samples);
  measures.mse = mean_squared_error(target.samples, prediction) + scatter;
  measures.max_error = max_error(target.samples, target.spread, prediction);
  const Samples dense = even_samples(target.reference(), target.interval, kDensePoints);
  prediction.resize(dense.x.size());
  network.evaluate(dense.x, prediction);
  measures.dense_mse = mean_squared_error(dense, prediction);
  if (target.truth) measures.max_error = max_error(dense, {}, prediction);
  measures.r_squared = r_squared(target.samples, scatter, measures.mse);
  if (!std::isfinite(measures.mse) || !std::isfinite(measures.dense_mse))
    throw base::NumericalError("the fitted network is not finite on the interval");
  measures.regions = count_regions(network, target.interval);
  measures.shape = shape_of(measures.regions);
  const auto pieces = static_cast<int>(measures.regions.linear_regions);
  if (floor)
    measures.floor.refined = *floor;
  else
    measures.floor = target.truth ? free_knot_floor(target.truth, target.interval, pieces)
                                  : free_knot_floor(target.samples, pieces);
  measures.floor.refined += scatter;
  // The network is one of the functions that the floor is about.
  if (!target.truth) measures.floor.refined = std::min(measures.floor.refined, measures.mse);
  return measures;
}

namespace {

FitRun fit_target(const FitConfig& config, Target target, int threads,
                  const std::function<void(double)>& progress) {
  FitRun run;
  run.config = config;
  run.target = std::move(target);
  FitOptions options;
  options.method = config.method;
  options.depth = config.depth;
  options.fold = config.fold;
  options.seed = config.seed;
  options.threads = threads;
  options.continue_ends = !config.open_ends;
  options.progress = progress;
  const base::Stopwatch watch;
  if (config.tolerance > 0) {
    ToleranceResult result = fit_to_tolerance(run.target, config.tolerance, options);
    run.fit = std::move(result.fit);
    run.trials = std::move(result.trials);
    run.tolerance_bound = result.max_error;
    run.fewest_pieces = result.fewest_pieces;
  } else if (!config.pieces.empty()) {
    const PiecesConstraints constraints = config.constraints();
    PiecesFit result = fit_pieces(run.target, {.pieces = config.number_of_pieces(),
                                               .loss = config.loss,
                                               .criterion = config.criterion,
                                               .jumps = config.jumps,
                                               .constraints = constraints});
    run.fit = std::move(result.fit);
    run.pieces = std::move(result.trials);
    run.parts = std::move(result.parts);
    run.errors = std::move(result.errors);
    if (constraints.any())
      run.kept = checked_constraints(constraints, run.fit.network, run.target.interval);
  } else if (config.keep_shape) {
    run.fit =
        shape_fit(run.target, config.depth, config.windows > 0 ? config.windows : kShapeWindows);
  } else if (config.difference) {
    run.fit = difference_fit(run.target, options);
  } else if (config.windows > 0) {
    run.fit = windowed_fit(run.target, config.depth, std::max(config.fold, 2), config.windows);
  } else {
    run.fit = fit_network(run.target, options);
  }
  run.seconds = watch.seconds();
  run.measures = measure_fit(run.target, run.fit.network, run.fit.floor);
  return run;
}

}  // namespace

FitRun run_fit(const FitConfig& config, int threads, const std::function<void(double)>& progress) {
  config.validate();
  return fit_target(config, make_target(config), threads, progress);
}

FitRun run_fit(const FitConfig& config, Samples points, int threads,
               const std::function<void(double)>& progress) {
  config.validate();
  return fit_target(config, data_target(config.data, std::move(points)), threads, progress);
}

std::vector<std::string> write_fit(const FitRun& run, const std::filesystem::path& folder) {
  const StoredNetwork stored{run.fit.network, run.target.interval};
  write_network_files(stored, run.config.name, "Fit of " + run.target.name + ".", folder);
  FitPlot plot;
  plot.title = run.target.name + "   (mse " + base::format_significant(run.measures.mse) + ", " +
               base::counted(run.measures.regions.linear_regions, "linear region") + ")";
  plot.boundaries = run.measures.regions.breakpoints;
  if (!run.target.truth) {
    plot.data_x = run.target.samples.x;
    plot.data_y = run.target.samples.y;
  }
  write_csv(run.target, run.fit.network, folder / "fit.csv", plot);
  if (draw_fit(plot, folder / "fit.svg", folder / "fit.png")) return {};
  return {"no pictures: gnuplot could not be run"};
}

io::Json fit_summary(const FitRun& run) {
  const FitMeasures& m = run.measures;
  io::Json summary = {{"target", run.target.name},
                      {"interval", {run.target.interval.low, run.target.interval.high}},
                      {"points", run.target.samples.size()},
                      {"method", run.fit.description},
                      {"seed", run.config.seed},
                      {"mse", m.mse},
                      {"dense_mse", m.dense_mse},
                      {"max_error", m.max_error},
                      {"r_squared", m.r_squared},
                      {"linear_regions", m.regions.linear_regions},
                      {"activation_regions", m.regions.activation_regions},
                      {"parameters", run.fit.network.parameter_count()},
                      {"nonzero_parameters", run.fit.network.nonzero_count()},
                      {"depth", run.fit.network.depth()},
                      {"width", run.fit.network.layers.front().outputs()},
                      {"floor_mse", m.floor.refined},
                      {"shape",
                       {{"convex", m.shape.convex},
                        {"concave", m.shape.concave},
                        {"increasing", m.shape.increasing},
                        {"decreasing", m.shape.decreasing}}},
                      {"noise_variance", run.target.noise_variance},
                      {"notes", run.target.notes},
                      {"seconds", run.seconds}};
  io::Json trials = io::Json::array();
  for (const ToleranceTrial& trial : run.trials)
    trials.push_back({{"depth", trial.depth},
                      {"fold", trial.fold},
                      {"windows", trial.windows},
                      {"parameters", trial.parameters},
                      {"max_error", trial.max_error},
                      {"reached", trial.reached}});
  if (run.config.tolerance > 0)
    summary["tolerance"] = {{"wanted", run.config.tolerance},
                            {"max_error_bound", run.tolerance_bound},
                            {"fewest_pieces", run.fewest_pieces},
                            {"trials", trials}};
  add_pieces_summary(run, summary);
  return summary;
}

std::string fit_text(const FitRun& run) {
  const FitMeasures& m = run.measures;
  const ReluNetwork& network = run.fit.network;
  std::string text = run.trials.empty() ? "" : tolerance_text(run.trials);
  text += trials_text(run) + pieces_text(run);
  const auto add = [&](const std::string& name, const std::string& value) {
    text += name + std::string(11 - name.size(), ' ') + value + "\n";
  };
  add("target", run.target.name + " on [" + base::format_number(run.target.interval.low) + ", " +
                    base::format_number(run.target.interval.high) + "], " +
                    base::counted(run.target.samples.size(), "point"));
  add("network", "width " + std::to_string(network.layers.front().outputs()) + ", depth " +
                     std::to_string(network.depth()) + ", " +
                     base::counted(network.parameter_count(), "parameter") + ", " +
                     base::format_count(network.nonzero_count()) + " of them not zero");
  add("method", run.fit.description);
  const bool known = static_cast<bool>(run.target.truth);
  add("mse", base::format_significant(m.mse) + " at the points");
  if (known)
    add("dense mse", base::format_significant(m.dense_mse) + " on " +
                         base::format_count(kDensePoints) + " points");
  add("max error",
      base::format_significant(m.max_error) + (known ? " on the same" : " at the points"));
  if (run.config.tolerance > 0 && known)
    add("bound", base::format_significant(run.tolerance_bound) +
                     " is the largest error anywhere on the interval at most");
  if (run.fewest_pieces > 0)
    add("fewest", base::counted(run.fewest_pieces, "straight piece at least is needed",
                                "straight pieces at least are needed") +
                      " for this tolerance");
  if (!known) add("R squared", base::format_fixed(m.r_squared, 6));
  add("regions", base::format_count(m.regions.linear_regions) + " linear, " +
                     base::format_count(m.regions.activation_regions) + " activation");
  add("floor", base::format_significant(m.floor.refined) + " is the least mse found " +
                   (known ? "of " : "at the points of ") +
                   base::counted(m.regions.linear_regions, "straight piece"));
  add("shape", shape_text(m.shape));
  if (run.parts.size() > 1) add("jumps", jumps_text(run));
  if (run.kept) add("limits", constraints_text(*run.kept, run.config.constraints()));
  add("seconds", base::format_significant(run.seconds));
  for (const std::string& note : run.target.notes) add("note", note);
  return text;
}

}  // namespace asap::region
