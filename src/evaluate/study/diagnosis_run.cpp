#include "evaluate/study/diagnosis_run.h"

#include <algorithm>

#include "base/text.h"
#include "config/run_folder.h"
#include "evaluate/compare/evaluated_run.h"

namespace asap::evaluate {

DiagnoseConfig default_diagnose_config(const std::filesystem::path& path,
                                       const std::filesystem::path& compiled) {
  const EvaluationDefaults trained = evaluation_defaults(path, compiled);
  DiagnoseConfig config;
  config.data = trained.data;
  config.methods = {"teacher", "softmax"};
  if (trained.artefact) config.methods.insert(config.methods.end(), {"compiled", "compiled+3"});
  return config;
}

DiagnosisRun diagnose_run(const std::filesystem::path& path, const std::filesystem::path& compiled,
                          const DiagnoseConfig& config, int threads) {
  const EvaluatedRun loaded = load_evaluated_run(path, compiled, config.data, config.examples);
  const DiagnosisSettings settings{parse_methods(config.methods, loaded.encoder.config().layers),
                                   config.iterations, threads};
  if (std::ranges::any_of(settings.methods, &Method::cascade))
    throw base::UsageError("`methods`: a cascade runs two methods, which are diagnosed one by one",
                           "name its first stage, such as compiled");
  DiagnosisRun result{diagnose(loaded.encoder, loaded.compiled(), loaded.dataset, settings),
                      loaded.context};
  result.context.commands.push_back("asap-eval diagnose" + loaded.arguments + " --methods " +
                                    base::join(config.methods, ",") + " --examples " +
                                    std::to_string(loaded.dataset.size()) + " --iterations " +
                                    std::to_string(config.iterations) + " --out DIR");
  return result;
}

}  // namespace asap::evaluate
