#include "evaluate/comparison_run.h"

#include <optional>

#include "base/text.h"
#include "base/version.h"
#include "compile/operator_artefact.h"
#include "io/run_folder.h"

namespace asap {
namespace {

std::string compile_command(const std::string& run, const std::string& folder,
                            const CompileConfig& config) {
  const Json fields = to_json(config);
  return "asap-compile --run " + run + " --out " + folder + " --slices " +
         std::to_string(config.slices) + " --slice-kind " +
         fields["slice_kind"].get<std::string>() + " --features " + join(config.features, ",") +
         " --objective " + fields["objective"].get<std::string>() + " --calibration " +
         std::to_string(config.calibration);
}

}  // namespace

CompareConfig default_compare_config(const std::filesystem::path& run, bool with_compiled) {
  CompareConfig config;
  config.methods = default_methods(with_compiled);
  config.data = RunFolder(run).read_config().data;
  return config;
}

ComparisonRun compare_run(const std::filesystem::path& run, const std::filesystem::path& compiled,
                          const CompareConfig& config, int threads,
                          const ProgressCallback& progress) {
  const Encoder encoder = Encoder::load(run);
  const ComparisonSettings settings{parse_methods(config.methods, encoder.config().layers), threads,
                                    config.fidelity_examples};
  std::optional<OperatorArtefact> artefact;
  if (!compiled.empty()) {
    artefact = load_operator(compiled);
    require_compiled_for(*artefact, compiled, encoder.fingerprint());
  }
  Dataset dataset = load_dataset(config.data, Split::test);
  if (config.examples > 0) keep_first(dataset, config.examples);

  ComparisonRun result;
  result.comparison =
      compare_methods(encoder, artefact ? &artefact->heads : nullptr, dataset, settings, progress);
  result.context.data = dataset.name;
  result.context.model = describe_model(encoder.config());
  result.context.commands = {"asap-train --config " + RunFolder(run).config().string() + " --out " +
                             run.string()};
  std::string compare = "asap-eval compare --run " + run.string();
  if (artefact) {
    result.context.commands.push_back(
        compile_command(run.string(), compiled.string(), artefact->config));
    compare += " --compiled " + compiled.string();
  }
  result.context.commands.push_back(compare + " --methods " + join(config.methods, ",") +
                                    " --examples " + std::to_string(dataset.size()) + " --out DIR");
  result.context.versions = {{"toolkit", version()},
                             {"commit", source_commit()},
                             {"build", build_description()},
                             {"model", encoder.fingerprint()},
                             {"test data", dataset.fingerprint}};
  return result;
}

}  // namespace asap
