#include "evaluate/study/drift_run.h"

#include "base/error.h"
#include "config/changed_fields.h"
#include "evaluate/compare/evaluated_run.h"

namespace asap::evaluate {

DriftConfig default_drift_config(const std::filesystem::path& path) {
  DriftConfig config;
  config.data = bundle::read_train_config(path).data;
  return config;
}

DriftRun drift_run(const std::filesystem::path& path, const std::filesystem::path& compiled,
                   const DriftConfig& config, int threads) {
  const EvaluatedRun loaded = load_evaluated_run(path, compiled, config.data, 0);
  if (!loaded.artefact)
    throw base::UsageError("drift is seen by a compiled operator, and there is none",
                           "`compiled` DIR names the folder of asap-compile");
  const DriftSettings settings{config.examples, config.seed, config.level,
                               loaded.artefact->config.imitated_iterations(), threads};
  DriftRun result{measure_drift(loaded.encoder, *loaded.compiled(), loaded.dataset, settings),
                  loaded.context};
  DriftConfig defaults;
  defaults.examples = config.examples;
  defaults.seed = config.seed;
  defaults.data = config.data;  // in loaded.arguments
  result.context.commands.push_back(
      "asap-eval drift" + loaded.arguments + " --examples " + std::to_string(config.examples) +
      " --seed " + std::to_string(config.seed) +
      config::set_options(config::to_json(config), config::to_json(defaults)) + " --out DIR");
  return result;
}

}  // namespace asap::evaluate
