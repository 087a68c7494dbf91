#include "evaluate/compare/evaluated_run.h"

#include <algorithm>
#include <numeric>

#include "base/parallel.h"
#include "base/processor.h"
#include "base/text.h"
#include "base/version.h"
#include "compile/calibration.h"
#include "compile/compile_heads.h"
#include "config/run_folder.h"
#include "data/load/load_dataset.h"

namespace asap {
namespace {

std::string compile_command(const std::string& run, const std::string& folder,
                            const CompileConfig& config) {
  const Json fields = to_json(config);
  const std::string teacher = config.teacher == "own" ? "" : " --teacher " + config.teacher;
  return "asap-compile --run " + run + " --out " + folder + teacher + " --slices " +
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
  result.encoder.require_attention(run.string());
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
  result.dataset = load_dataset_for(RunFolder(run), data, Split::test);
  keep_first(result.dataset, examples);
  context.data = result.dataset.name;
  context.model = describe_model(result.encoder.config());
  context.versions = {{"toolkit", version()},
                      {"commit", source_commit()},
                      {"build", build_description()},
                      {"processor", processor_description()},
                      {"model", result.encoder.fingerprint()},
                      {"test data", result.dataset.fingerprint}};
  return result;
}

OperatorEvidence judge_operator(const EvaluatedRun& run, std::int64_t examples, int threads) {
  const OperatorArtefact& artefact = *run.artefact;
  OperatorEvidence evidence{artefact.config.teacher, artefact.teacher_iterations, 0, {}};
  evidence.examples = std::min(examples, run.dataset.size());
  if (evidence.examples == 0) return evidence;
  std::vector<std::int64_t> first(static_cast<std::size_t>(evidence.examples));
  std::iota(first.begin(), first.end(), std::int64_t{0});
  const Activations activations =
      capture_activations(run.encoder, run.dataset, first, artefact.teacher_iterations, threads);
  const std::int64_t heads = activations.heads;
  for (const auto& layer : artefact.heads) evidence.heads.emplace_back(layer.size());
  parallel_for(std::ssize(artefact.heads) * heads, threads, [&](std::int64_t index, int) {
    const auto layer = static_cast<std::size_t>(index / heads);
    const auto head = static_cast<std::size_t>(index % heads);
    const std::vector<TeacherSample> samples =
        run_teachers(activations, static_cast<int>(layer), index % heads, {0, evidence.examples});
    evidence.heads[layer][head] = measure_head(artefact.heads[layer][head], samples);
  });
  return evidence;
}

}  // namespace asap
