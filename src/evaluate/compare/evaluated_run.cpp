#include "evaluate/compare/evaluated_run.h"

#include <algorithm>
#include <numeric>

#include "base/format.h"
#include "base/parallel.h"
#include "base/text.h"
#include "compile/calibration.h"
#include "compile/compile_heads.h"
#include "config/changed_fields.h"
#include "config/run_folder.h"
#include "data/load/load_dataset.h"
#include "evaluate/compare/data_title.h"

namespace asap::evaluate {
namespace {

using config::path_option;

/// What compile_command writes as options of their own, so that it needs no --set.
void take_named_fields(compile::CompileConfig& to, const compile::CompileConfig& from) {
  to.teacher = from.teacher;
  to.mode = from.mode;
  to.slices = from.slices;
  to.slice_kind = from.slice_kind;
  to.features = from.features;
  to.error = from.error;
  to.budget = from.budget;
  to.objective = from.objective;
  to.calibration = from.calibration;
  to.activations = from.activations;  // a run states these itself
  to.data = from.data;                // the artefact holds what differs from a run's
}

/// The machine profile that layers chose by, where it was a file.
std::string profile_option(const compile::OperatorArtefact& artefact) {
  if (!artefact.config.chooses_operator() || !artefact.choice.contains("profile")) return "";
  const io::Json& profile = artefact.choice["profile"];
  return profile.is_string() ? path_option("--profile", profile.get<std::string>()) : "";
}

std::string compile_command(const std::filesystem::path& run, const std::filesystem::path& folder,
                            const compile::OperatorArtefact& artefact) {
  const compile::CompileConfig& config = artefact.config;
  const io::Json fields = config::to_json(config);
  const std::string teacher = config.teacher == "own" ? "" : " --teacher " + config.teacher;
  const std::string mode =
      config.mode == attention::CompiledMode::key_bias ? " --mode key_bias" : "";
  const std::string limits = !config.chooses_operator() ? ""
                             : config.budget > 0
                                 ? " --budget " + base::format_significant(config.budget)
                                 : " --error " + base::format_significant(config.error);
  compile::CompileConfig defaults;
  take_named_fields(defaults, config);
  return "asap-compile" + path_option("--run", run) + path_option("--out", folder) + teacher +
         mode + " --slices " + std::to_string(config.slices) + " --slice-kind " +
         fields["slice_kind"].get<std::string>() + " --features " +
         base::join(config.features, ",") + limits + profile_option(artefact) + " --objective " +
         fields["objective"].get<std::string>() + " --calibration " +
         std::to_string(config.calibration) +
         config::set_options(fields, config::to_json(defaults)) +
         (artefact.other_data.empty()
              ? ""
              : config::set_options({{"data", artefact.other_data}}, io::Json::object()));
}

EvaluatedRun load_from_run(const std::filesystem::path& run, const std::filesystem::path& compiled,
                           const config::DataConfig& data) {
  EvaluatedRun result{infer::Encoder::load(run), std::nullopt, {}, {}, path_option("--run", run)};
  result.encoder.require_attention(run.string());
  ReportContext& context = result.context;
  context.commands = {"asap-train" + path_option("--config", config::RunFolder(run).config()) +
                      path_option("--out", run)};
  if (!compiled.empty()) {
    result.artefact = compile::load_operator(compiled);
    compile::require_compiled_for(*result.artefact, compiled, result.encoder.fingerprint());
    context.commands.push_back(compile_command(run, compiled, *result.artefact));
    result.arguments += path_option("--compiled", compiled);
  }
  result.arguments += data_options(data, config::RunFolder(run).read_config().data);
  result.dataset = data::load_dataset_for(config::RunFolder(run), data, data::Split::test);
  return result;
}

/// A bundle names no places of files, so its data may be any.
void require_classes(const data::Dataset& dataset, const std::vector<std::string>& names,
                     const std::string& source) {
  if (dataset.class_names == names) return;
  const auto list = [](const std::vector<std::string>& words) {
    return io::excerpt(base::join(words, ", "));
  };
  throw base::DataError(dataset.name + ": the classes of the data are " +
                            list(dataset.class_names) + "; those of " + source + " are " +
                            list(names),
                        "--set data.path=DIR names data with the classes of the training");
}

EvaluatedRun load_from_bundle(const std::filesystem::path& file,
                              const std::filesystem::path& compiled,
                              const config::DataConfig& data) {
  bundle::TrainedModel model = bundle::load_model(file, compiled);
  model.encoder.require_attention(file.string());
  EvaluatedRun result{std::move(model.encoder),
                      std::move(model.compiled),
                      data::load_dataset(data, data::Split::test, model.codec),
                      {},
                      path_option("--model", file),
                      true,
                      model.cascade};
  require_classes(result.dataset, model.class_names, file.string());
  if (!compiled.empty()) result.arguments += path_option("--compiled", compiled);
  result.arguments += data_options(data, model.config.data);
  return result;
}

bool is_run(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

}  // namespace

EvaluationDefaults evaluation_defaults(const std::filesystem::path& path,
                                       const std::filesystem::path& compiled) {
  if (is_run(path)) {
    EvaluationDefaults defaults{config::RunFolder(path).read_config().data};
    if (!compiled.empty()) defaults.artefact = compile::load_operator(compiled);
    return defaults;
  }
  bundle::TrainedModel model = bundle::load_model(path, compiled);
  return {model.config.data, std::move(model.compiled), std::move(model.cascade)};
}

EvaluatedRun load_evaluated_run(const std::filesystem::path& path,
                                const std::filesystem::path& compiled,
                                const config::DataConfig& data, std::int64_t examples) {
  EvaluatedRun result =
      is_run(path) ? load_from_run(path, compiled, data) : load_from_bundle(path, compiled, data);
  ReportContext& context = result.context;
  data::keep_first(result.dataset, examples);
  context.data = result.dataset.name;
  context.title = data_title(data);
  context.model = config::describe_model(result.encoder.config());
  context.versions = program_versions();
  context.versions.emplace_back("model", result.encoder.fingerprint());
  context.versions.emplace_back("test data", result.dataset.fingerprint);
  return result;
}

OperatorEvidence judge_operator(const EvaluatedRun& run, std::int64_t examples,
                                const distributed::Workers& workers) {
  const compile::OperatorArtefact& artefact = *run.artefact;
  OperatorEvidence evidence{artefact.config.teacher, artefact.teacher_iterations, 0, {}};
  evidence.examples = std::min(examples, run.dataset.size());
  if (evidence.examples == 0) return evidence;
  std::vector<std::int64_t> first(static_cast<std::size_t>(evidence.examples));
  std::iota(first.begin(), first.end(), std::int64_t{0});
  const compile::Activations activations = compile::capture_activations(
      run.encoder, run.dataset, first, artefact.teacher_iterations, workers);
  const std::int64_t heads = activations.heads;
  for (const auto& layer : artefact.heads) evidence.heads.emplace_back(layer.size());
  base::parallel_for(
      std::ssize(artefact.heads) * heads, workers.threads, [&](std::int64_t index, int) {
        const auto layer = static_cast<std::size_t>(index / heads);
        const auto head = static_cast<std::size_t>(index % heads);
        const std::vector<compile::TeacherSample> samples = compile::run_teachers(
            activations, static_cast<int>(layer), index % heads, {0, evidence.examples});
        evidence.heads[layer][head] = compile::measure_head(artefact.heads[layer][head], samples);
      });
  return evidence;
}

}  // namespace asap::evaluate
