#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/json.h"
#include "region/fit/methods.h"

namespace asap::region {

/// A comparison of methods: every method on every target from a number of seeds.
struct BenchConfig {
  std::vector<std::string> targets;  ///< names of paper targets, or formulas on [low, high]
  std::vector<Method> methods;
  int seeds = 30;
  std::uint64_t first_seed = 0;
  int depth = 5;
  double low = 0, high = 1;  ///< interval of formulas
  int threads = 1;
};

/// One method on one target over all seeds. Errors are mean squared errors on the training points,
/// or on the test points of the ten-point targets.
struct BenchRow {
  std::string target;
  Method method = Method::best;
  double min = 0, mean = 0, max = 0;
  double dense_mean = 0;                 ///< on the dense grid
  double dense_ratio = 0;                ///< largest ratio of dense to training error
  double regions_mean = 0;               ///< of the number of linear regions
  double seconds_per_seed = 0;           ///< on one thread
  double floor = 0;                      ///< least error of any 2^depth straight pieces
  double paper_min = 0, paper_mean = 0;  ///< NaN if the paper reports none
};

/// Runs seeds in parallel; only the seconds depend on the number of threads. `progress` receives
/// the number of finished fits, from one thread at a time.
std::vector<BenchRow> run_bench(const BenchConfig& config,
                                const std::function<void(std::int64_t)>& progress);

io::Json bench_summary(const BenchConfig& config, const std::vector<BenchRow>& rows);
/// A table of the paper, our errors and the floor.
std::string bench_text(const BenchConfig& config, const std::vector<BenchRow>& rows);

}  // namespace asap::region
