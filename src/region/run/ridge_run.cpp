#include "region/run/ridge_run.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/timing.h"
#include "region/network/region_count.h"

namespace asap::region {
namespace {

constexpr std::int64_t kTestPoints = 10'000;
constexpr int kSegments = 64;

/// Draws or reads the training, validation and test rows.
void load_rows(RidgeRun& run) {
  const FitConfig& config = run.config;
  if (!config.function.empty()) {
    const std::int64_t count = config.training_points();
    const auto sample = [&](std::int64_t rows, std::uint32_t stream) {
      return sample_formula(config.function, config.inputs, config.interval(), rows, config.seed,
                            stream);
    };
    run.training = {config.inputs, config.function, sample(count, 0)};
    run.validation = sample(std::max<std::int64_t>(count / 4, 4), 1);
    run.test = sample(kTestPoints, 2);
    return;
  }
  run.training = read_rows(config.data, {config.target, config.inputs});
  const auto least = static_cast<std::int64_t>(run.training.inputs.size()) + 4;
  RowSplit split =
      split_rows(run.training.rows, config.validation, config.test, config.seed, least);
  run.training.rows = std::move(split.training);
  run.validation = std::move(split.validation);
  run.test = std::move(split.test);
}

double variance(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(values.size());
}

/// Counts on the same segments for every network of a run.
SegmentRegions count_segments(const ReluNetwork& network, const Rows& rows, std::uint64_t seed) {
  base::RandomStream random(seed, base::RandomPurpose::region, 0x30000U);
  SegmentRegions regions;
  int counted = 0;
  for (int s = 0; s < kSegments; ++s) {
    const auto end = [&] {
      return rows.row(
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(rows.size()))));
    };
    const std::span<const double> from = end(), to = end();
    if (std::equal(from.begin(), from.end(), to.begin())) continue;
    const std::int64_t count = count_regions(network, from, to).activation_regions;
    regions.mean += static_cast<double>(count);
    regions.least = counted == 0 ? count : std::min(regions.least, count);
    regions.most = std::max(regions.most, count);
    ++counted;
  }
  regions.mean /= std::max(counted, 1);
  return regions;
}

std::string description_of(const RidgeFit& ridge) {
  if (ridge.kind == RidgeKind::linear) return "linear: no ridges were better on rows left out";
  return base::counted(ridge.shape.blocks, "ridge") + " of depth " +
         std::to_string(ridge.shape.widths.size()) + ", " + base::counted(ridge.fold, "piece") +
         " per level" + (ridge.linear_term ? ", linear term" : "") +
         (ridge.kind == RidgeKind::folded ? ", folded" : "");
}

MethodFit of_ridge(const RidgeFit& ridge) {
  MethodFit fit;
  fit.method = "region";
  fit.network = ridge.network;
  fit.parameters = ridge.parameters;
  fit.training = ridge.training;
  fit.validation = ridge.validation;
  fit.description = description_of(ridge);
  return fit;
}

class RidgeRunner {
 public:
  RidgeRunner(RidgeRun& run, int threads, const std::function<void(double)>& progress)
      : run_(run),
        progress_(progress),
        training_(run.scales.apply(run.training.rows)),
        validation_(run.scales.apply(run.validation)),
        test_(run.scales.apply(run.test)) {
    options_.ridge.ridges = run.config.ridges;
    options_.ridge.depth = run.config.depth;
    options_.ridge.fold = run.config.fold;
    options_.ridge.seed = run.config.seed;
    options_.ridge.threads = threads;
  }

  void fit_region() {
    const double share = run_.config.compare ? 0.4 : 1;
    options_.ridge.progress = [&](double part) { progress_(share * part); };
    const base::Stopwatch watch;
    run_.ridge = fit_ridges({training_, validation_}, options_.ridge);
    const double seconds = watch.seconds();
    add(of_ridge(run_.ridge), seconds);
    options_.reference = run_.ridge.shape;
    run_.folded_test = variance_unit() * network_error(run_.ridge.folded, test_);
    run_.folded_regions = count_segments(run_.ridge.folded, test_, run_.config.seed);
    run_.network = run_.scales.fold_into(run_.ridge.network);
  }

  void compare() {
    double done = 0.4;
    for (const Baseline baseline : kBaselines) {
      const base::Stopwatch watch;
      MethodFit fit = fit_baseline({training_, validation_}, baseline, options_);
      add(std::move(fit), watch.seconds());
      progress_(done += 0.12);
    }
  }

 private:
  /// The factor from squared errors of standardised rows to the target's units.
  double variance_unit() const {
    return run_.scales.target_deviation * run_.scales.target_deviation;
  }

  void add(MethodFit fit, double seconds) {
    MethodResult result;
    result.training = variance_unit() * fit.training;
    result.validation = variance_unit() * fit.validation;
    result.test = variance_unit() * error_of(fit, test_);
    const double spread = variance(run_.test.y);
    result.explained = spread > 0 ? 1 - result.test / spread : 0;
    if (!fit.network.layers.empty())
      result.regions = count_segments(fit.network, test_, run_.config.seed);
    result.seconds = seconds;
    result.fit = std::move(fit);
    run_.results.push_back(std::move(result));
  }

  RidgeRun& run_;
  const std::function<void(double)>& progress_;
  Rows training_, validation_, test_;
  BaselineOptions options_;
};

}  // namespace

RidgeRun run_ridge_fit(const FitConfig& config, int threads,
                       const std::function<void(double)>& progress) {
  config.validate();
  RidgeRun run;
  run.config = config;
  load_rows(run);
  run.scales = Standardisation::of(run.training);
  RidgeRunner runner(run, threads, progress);
  runner.fit_region();
  if (config.compare) runner.compare();
  progress(1);
  return run;
}

}  // namespace asap::region
