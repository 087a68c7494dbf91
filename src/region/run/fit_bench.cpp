#include "region/run/fit_bench.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "base/counted.h"
#include "base/error.h"
#include "base/format.h"
#include "base/parallel.h"
#include "base/text_table.h"
#include "base/timing.h"
#include "io/number_or_null.h"
#include "region/family/floor.h"
#include "region/network/region_count.h"
#include "region/target/formula.h"

namespace asap::region {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Milkert, Hyde and Laine (ICML 2025): least and mean error over 30 runs with 500 points, and
/// least test errors with ten points.
struct PaperNumbers {
  const char* target;
  Method method;
  double min, mean;
};
constexpr PaperNumbers kPaper[] = {
    {"x3", Method::kaiming, 2.11e-5, 7.20e-2},   {"x3", Method::raai, 2.14e-5, 3.97e-2},
    {"x11", Method::raai, 4.40e-5, 4.12e-2},     {"x3", Method::skip, 7.63e-7, 3.89e-5},
    {"x3", Method::free, 1.64e-7, 1.02e-5},      {"x3", Method::smooth, 7.86e-8, 5.27e-7},
    {"x11", Method::kaiming, 2.19e-5, 2.82e-2},  {"x11", Method::skip, 1.86e-5, 3.56e-4},
    {"x11", Method::free, 3.20e-6, 3.73e-5},     {"x11", Method::smooth, 8.86e-7, 7.87e-6},
    {"x3-10", Method::kaiming, 2.41e-4, kNone},  {"x11-10", Method::kaiming, 2.14e-3, kNone},
    {"sin-10", Method::kaiming, 2.27e-5, kNone}, {"tanh-10", Method::kaiming, 1.60e-4, kNone},
    {"x3-10", Method::smooth, 5.65e-6, kNone},   {"x11-10", Method::smooth, 6.53e-4, kNone},
    {"sin-10", Method::smooth, 7.92e-7, kNone},  {"tanh-10", Method::smooth, 5.09e-6, kNone}};

/// The result of one seed.
struct SeedResult {
  double error = 0, dense = 0, training = 0, regions = 0, seconds = 0;
};

/// A target: one of the paper's, or a formula treated like x3.
struct BenchTarget {
  std::string name, formula;
  numerics::Interval interval;
  int points = 500;
  bool test = false;
};

BenchTarget find_target(const std::string& name, const BenchConfig& config) {
  for (const PaperTarget& paper : paper_targets())
    if (name == paper.name) return {name, paper.formula, paper.interval, paper.points, paper.test};
  const numerics::Interval interval{config.low, config.high};
  function_target(name, interval);  // checks the formula
  return {name, name, interval};
}

double error_on(const ReluNetwork& network, const Samples& samples) {
  std::vector<double> prediction(samples.x.size());
  network.evaluate(samples.x, prediction);
  return mean_squared_error(samples, prediction);
}

/// One fit. It sees points only; the formula measures it.
SeedResult run_seed(const BenchTarget& bench, const FitOptions& options) {
  const numerics::Curve f = compile_formula(bench.formula);
  const Target target = points_target(bench.name, even_samples(f, bench.interval, bench.points));
  const base::Stopwatch watch;
  const Fit fit = fit_network(target, options);
  SeedResult result;
  result.seconds = watch.seconds();
  result.training = error_on(fit.network, target.samples);
  result.error = bench.test ? error_on(fit.network, midpoints(f, bench.interval, bench.points))
                            : result.training;
  result.dense = error_on(fit.network, even_samples(f, bench.interval, kDensePoints));
  result.regions = static_cast<double>(count_regions(fit.network, bench.interval).linear_regions);
  return result;
}

BenchRow summarise(const BenchTarget& target, Method method,
                   const std::vector<SeedResult>& results) {
  BenchRow row;
  row.target = target.name;
  row.method = method;
  row.min = std::numeric_limits<double>::infinity();
  row.paper_min = row.paper_mean = kNone;
  const double count = static_cast<double>(results.size());
  for (const SeedResult& result : results) {
    row.min = std::min(row.min, result.error);
    row.max = std::max(row.max, result.error);
    row.mean += result.error / count;
    row.dense_mean += result.dense / count;
    row.dense_ratio = std::max(row.dense_ratio, result.dense / result.training);
    row.regions_mean += result.regions / count;
    row.seconds_per_seed += result.seconds / count;
  }
  for (const PaperNumbers& paper : kPaper) {
    if (target.name != paper.target || method != paper.method) continue;
    row.paper_min = paper.min;
    row.paper_mean = paper.mean;
  }
  return row;
}

std::string number_or_dash(double value) {
  return std::isnan(value) ? "-" : base::format_significant(value);
}

}  // namespace

std::vector<BenchRow> run_bench(const BenchConfig& config,
                                const std::function<void(std::int64_t)>& progress) {
  if (config.seeds < 1)
    throw base::UsageError("`seeds` " + std::to_string(config.seeds) + ": at least one is needed");
  check_size(config.depth, 2, 1);
  std::vector<BenchTarget> targets;
  for (const std::string& name : config.targets) targets.push_back(find_target(name, config));
  std::vector<BenchRow> rows;
  std::mutex mutex;
  std::int64_t done = 0;
  for (const BenchTarget& target : targets) {
    const numerics::Curve f = compile_formula(target.formula);
    const double floor =
        free_knot_floor(f, target.interval, 1 << std::min(config.depth, 12)).refined;
    for (const Method method : config.methods) {
      std::vector<SeedResult> results(static_cast<std::size_t>(config.seeds));
      base::parallel_for(config.seeds, config.threads, [&](std::int64_t index, int) {
        FitOptions options;
        options.method = method;
        options.depth = config.depth;
        options.continue_ends = false;  // as many weights as the paper
        options.seed = config.first_seed + static_cast<std::uint64_t>(index);
        results[static_cast<std::size_t>(index)] = run_seed(target, options);
        const std::lock_guard lock(mutex);
        progress(++done);
      });
      rows.push_back(summarise(target, method, results));
      rows.back().floor = floor;
    }
  }
  return rows;
}

io::Json bench_summary(const BenchConfig& config, const std::vector<BenchRow>& rows) {
  io::Json list = io::Json::array();
  for (const BenchRow& row : rows)
    list.push_back({{"target", row.target},
                    {"method", method_name(row.method)},
                    {"min", row.min},
                    {"mean", row.mean},
                    {"max", row.max},
                    {"dense_mean", row.dense_mean},
                    {"dense_ratio", row.dense_ratio},
                    {"regions_mean", row.regions_mean},
                    {"seconds_per_seed", row.seconds_per_seed},
                    {"floor", row.floor},
                    {"paper_min", io::number_or_null(row.paper_min)},
                    {"paper_mean", io::number_or_null(row.paper_mean)}});
  return {{"rows", list},
          {"seeds", config.seeds},
          {"first_seed", config.first_seed},
          {"depth", config.depth}};
}

std::string bench_text(const BenchConfig& config, const std::vector<BenchRow>& rows) {
  base::Table table({{"target", base::Table::Align::left},
                     {"method", base::Table::Align::left},
                     {"paper min"},
                     {"paper mean"},
                     {"min"},
                     {"mean"},
                     {"max"},
                     {"dense mean"},
                     {"dense/train"},
                     {"floor"},
                     {"regions"},
                     {"s/seed"}});
  for (const BenchRow& row : rows)
    table.add_row({row.target, method_name(row.method), number_or_dash(row.paper_min),
                   number_or_dash(row.paper_mean), base::format_significant(row.min),
                   base::format_significant(row.mean), base::format_significant(row.max),
                   base::format_significant(row.dense_mean),
                   row.dense_ratio < 1e4 ? base::format_fixed(row.dense_ratio, 2) : "-",
                   base::format_significant(row.floor), base::format_fixed(row.regions_mean, 1),
                   base::format_fixed(row.seconds_per_seed, 2)});
  return table.text() + "Mean squared errors over " + base::counted(config.seeds, "seed") +
         ", networks of width 4 and depth " + std::to_string(config.depth) +
         "; on the test points for ten-point targets. floor: least error of any " +
         base::counted(1 << std::min(config.depth, 12), "straight piece") + ".\n";
}

}  // namespace asap::region
