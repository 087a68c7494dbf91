#pragma once

#include <filesystem>

#include "config/data_config.h"
#include "evaluate/compare/report_context.h"
#include "evaluate/study/drift.h"

namespace asap::evaluate {

/// The configuration of asap-eval drift.
struct DriftConfig {
  int examples = 1000;
  std::uint64_t seed = 1;
  double level = 1e-3;
  config::DataConfig data;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("examples", examples, "draw N of the test examples; 0: all", config::at_least(0));
    v.field("seed", seed, "of that drawing");
    v.field("level", level, "chance of a false alarm, all heads together",
            config::between(1e-12, 0.5));
    v.group("data", data, "the data to look at: their test part; the run's own unless changed");
  }
};

/// The defaults for a run or a bundle.
DriftConfig default_drift_config(const std::filesystem::path& path);

/// What drift an operator sees, with what its report says about it.
struct DriftRun {
  Drift drift;
  ReportContext context;
};

/// Loads as load_evaluated_run, and measures. UsageError where there is no operator.
DriftRun drift_run(const std::filesystem::path& path, const std::filesystem::path& compiled,
                   const DriftConfig& config, int threads);

}  // namespace asap::evaluate
