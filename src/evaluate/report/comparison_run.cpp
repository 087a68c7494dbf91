#include "evaluate/report/comparison_run.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "config/changed_fields.h"
#include "config/run_folder.h"
#include "evaluate/compare/equal_latency.h"
#include "evaluate/compare/evaluated_run.h"
#include "evaluate/compare/stored_cascade.h"

namespace asap::evaluate {

CompareConfig default_compare_config(const std::filesystem::path& path,
                                     const std::filesystem::path& compiled) {
  const EvaluationDefaults trained = evaluation_defaults(path, compiled);
  CompareConfig config;
  config.data = trained.data;
  if (trained.cascade) config.cascade.share = trained.cascade->limit;
  const auto imitated =
      trained.artefact ? trained.artefact->config.imitated_iterations() : std::nullopt;
  config.methods =
      imitated ? imitation_methods(*imitated) : default_methods(trained.artefact.has_value());
  return config;
}

namespace {

CascadeCalibration cascade_calibration(const std::filesystem::path& run, const EvaluatedRun& loaded,
                                       const CascadeConfig& config) {
  config::check_field_ranges(config, "cascade");
  if (!loaded.artefact)
    throw base::UsageError("`cascade`: there is no compiled operator to hand examples on",
                           "pass the folder that asap-compile wrote: `compiled` DIR");
  if (loaded.artefact->model_fingerprint.empty())
    throw base::UsageError(
        "`cascade`: the operator was compiled from captured activations, which do not say which "
        "examples choose the threshold",
        "compile it with asap-compile --run");
  return draw_cascade_calibration(run, loaded.artefact->config, config);
}

/// Fills in what decides which examples the cascades among the methods run again.
/// `calibration` must outlive the settings.
void settle_cascades(const std::filesystem::path& path, const EvaluatedRun& loaded,
                     const CascadeConfig& config, ComparisonSettings& settings,
                     std::optional<CascadeCalibration>& calibration) {
  if (config.all) settings.methods = with_cascades(settings.methods);
  const auto has_cascade = [](const Method& method) { return method.cascade; };
  if (std::ranges::none_of(settings.methods, has_cascade)) {
    if (config.all)
      throw base::UsageError("`cascade`: no compiled method is compared in all layers",
                             "name `compiled` among the methods, and pass the operator's folder");
    return;
  }
  if (!loaded.is_bundle) {
    calibration = cascade_calibration(path, loaded, config);
    settings.cascade = &*calibration;
    return;
  }
  for (const Method& method : settings.methods)
    if (method.cascade)
      settings.known_threshold =
          stored_threshold(loaded.cascade, path.string(), method, config.share);
}

/// The command that makes the report: an option where there is one, else --set.
std::string compare_command(const EvaluatedRun& loaded, const CompareConfig& config) {
  CompareConfig defaults;
  defaults.methods = config.methods;
  defaults.examples = config.examples;
  defaults.bench = config.bench;
  defaults.cascade.all = config.cascade.all;
  if (loaded.cascade) defaults.cascade.share = loaded.cascade->limit;
  if (config.cascade.all) defaults.cascade.share = config.cascade.share;
  defaults.data = config.data;  // in loaded.arguments
  return "asap-eval compare" + loaded.arguments + " --methods " + base::join(config.methods, ",") +
         " --examples " + std::to_string(loaded.dataset.size()) +
         (config.cascade.all ? " --cascade " + base::format_number(config.cascade.share) : "") +
         (config.bench.empty() ? "" : config::path_option("--bench", config.bench)) +
         config::set_options(config::to_json(config), config::to_json(defaults)) + " --out DIR";
}

}  // namespace

ReportData compare_run(const std::filesystem::path& path, const std::filesystem::path& compiled,
                       const CompareConfig& config, const distributed::Workers& workers,
                       const ProgressCallback& progress,
                       const std::function<void(const data::Dataset&)>& on_data) {
  // What can be refused comes before what takes long.
  const ScalingCurves scaling =
      config.bench.empty() ? ScalingCurves{} : read_scaling_curves(config.bench);
  const EvaluatedRun loaded = load_evaluated_run(path, compiled, config.data, config.examples);
  if (on_data) on_data(loaded.dataset);
  ComparisonSettings settings{parse_methods(config.methods, loaded.encoder.config().layers),
                              workers, config.fidelity_examples};
  for (Method& method : settings.methods) method.guard_quantile = config.guard_quantile;
  int teacher_iterations = 0;
  if (loaded.artefact) {
    settings.imitated_iterations = loaded.artefact->config.imitated_iterations();
    teacher_iterations = loaded.artefact->teacher_iterations;
  }
  std::optional<CascadeCalibration> calibration;
  settle_cascades(path, loaded, config.cascade, settings, calibration);
  settings.equal_latency = find_equal_latency(settings.methods, loaded.encoder, loaded.compiled(),
                                              teacher_iterations, loaded.dataset);
  ReportData result{
      compare_methods(loaded.encoder, loaded.compiled(), loaded.dataset, settings, progress),
      loaded.context};
  result.context.commands.push_back(compare_command(loaded, config));
  if (loaded.artefact)
    result.comparison.compiled = judge_operator(loaded, config.evidence_examples, workers);
  if (!workers.ranks->leads()) return result;  // the rest is a moment's work for the report
  if (config.shown_examples > 0)
    result.gallery = collect_plans(loaded.encoder, loaded.compiled(), loaded.dataset,
                                   result.comparison, {.examples = config.shown_examples});
  result.study = study_heads(loaded, {}, workers.threads);
  result.training = read_training_curves(config::RunFolder(path).metrics());
  result.scaling = scaling;
  return result;
}

}  // namespace asap::evaluate
