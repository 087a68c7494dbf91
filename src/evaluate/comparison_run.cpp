#include "evaluate/comparison_run.h"

#include "base/text.h"
#include "evaluate/evaluated_run.h"
#include "io/run_folder.h"

namespace asap {

CompareConfig default_compare_config(const std::filesystem::path& run, bool with_compiled) {
  CompareConfig config;
  config.methods = default_methods(with_compiled);
  config.data = RunFolder(run).read_config().data;
  return config;
}

ComparisonRun compare_run(const std::filesystem::path& run, const std::filesystem::path& compiled,
                          const CompareConfig& config, int threads,
                          const ProgressCallback& progress) {
  const EvaluatedRun loaded = load_evaluated_run(run, compiled, config.data, config.examples);
  const ComparisonSettings settings{parse_methods(config.methods, loaded.encoder.config().layers),
                                    threads, config.fidelity_examples};
  ComparisonRun result{
      compare_methods(loaded.encoder, loaded.compiled(), loaded.dataset, settings, progress),
      loaded.context};
  result.context.commands.push_back("asap-eval compare" + loaded.arguments + " --methods " +
                                    join(config.methods, ",") + " --examples " +
                                    std::to_string(loaded.dataset.size()) + " --out DIR");
  return result;
}

}  // namespace asap
