#include "evaluate/evaluated_run.h"

#include "base/text.h"
#include "base/version.h"
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

EvaluatedRun load_evaluated_run(const std::filesystem::path& run,
                                const std::filesystem::path& compiled, const DataConfig& data,
                                std::int64_t examples) {
  EvaluatedRun result{Encoder::load(run), std::nullopt, {}, {}, " --run " + run.string()};
  ReportContext& context = result.context;
  context.commands = {"asap-train --config " + RunFolder(run).config().string() + " --out " +
                      run.string()};
  if (!compiled.empty()) {
    result.artefact = load_operator(compiled);
    require_compiled_for(*result.artefact, compiled, result.encoder.fingerprint());
    context.commands.push_back(
        compile_command(run.string(), compiled.string(), result.artefact->config));
    result.arguments += " --compiled " + compiled.string();
  }
  result.dataset = load_dataset(data, Split::test);
  keep_first(result.dataset, examples);
  context.data = result.dataset.name;
  context.model = describe_model(result.encoder.config());
  context.versions = {{"toolkit", version()},
                      {"commit", source_commit()},
                      {"build", build_description()},
                      {"model", result.encoder.fingerprint()},
                      {"test data", result.dataset.fingerprint}};
  return result;
}

}  // namespace asap
