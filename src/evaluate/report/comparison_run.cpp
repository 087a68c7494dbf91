#include "evaluate/report/comparison_run.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "config/run_folder.h"
#include "evaluate/compare/equal_latency.h"
#include "evaluate/compare/evaluated_run.h"

namespace asap::evaluate {

CompareConfig default_compare_config(const std::filesystem::path& run,
                                     const std::filesystem::path& compiled) {
  CompareConfig config;
  const auto imitated = compiled.empty()
                            ? std::nullopt
                            : compile::load_operator(compiled).config.imitated_iterations();
  config.methods = imitated ? imitation_methods(*imitated) : default_methods(!compiled.empty());
  config.data = config::RunFolder(run).read_config().data;
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

}  // namespace

ReportData compare_run(const std::filesystem::path& run, const std::filesystem::path& compiled,
                       const CompareConfig& config, int threads, const ProgressCallback& progress,
                       const std::function<void(const data::Dataset&)>& on_data) {
  // What can be refused comes before what takes long.
  const ScalingCurves scaling =
      config.bench.empty() ? ScalingCurves{} : read_scaling_curves(config.bench);
  const EvaluatedRun loaded = load_evaluated_run(run, compiled, config.data, config.examples);
  if (on_data) on_data(loaded.dataset);
  ComparisonSettings settings{parse_methods(config.methods, loaded.encoder.config().layers),
                              threads, config.fidelity_examples};
  for (Method& method : settings.methods) method.guard_quantile = config.guard_quantile;
  int teacher_iterations = 0;
  if (loaded.artefact) {
    settings.imitated_iterations = loaded.artefact->config.imitated_iterations();
    teacher_iterations = loaded.artefact->teacher_iterations;
  }
  if (config.cascade.all) settings.methods = with_cascades(settings.methods);
  std::optional<CascadeCalibration> cascade;
  if (std::ranges::any_of(settings.methods, &Method::cascade)) {
    cascade = cascade_calibration(run, loaded, config.cascade);
    settings.cascade = &*cascade;
  } else if (config.cascade.all) {
    throw base::UsageError("`cascade`: no compiled method is compared in all layers",
                           "name `compiled` among the methods, and pass the operator's folder");
  }
  settings.equal_latency = find_equal_latency(settings.methods, loaded.encoder, loaded.compiled(),
                                              teacher_iterations, loaded.dataset);
  ReportData result{
      compare_methods(loaded.encoder, loaded.compiled(), loaded.dataset, settings, progress),
      loaded.context};
  result.context.commands.push_back(
      "asap-eval compare" + loaded.arguments + " --methods " + base::join(config.methods, ",") +
      " --examples " + std::to_string(loaded.dataset.size()) +
      (config.evidence_examples > 0
           ? " --set evidence_examples=" + std::to_string(config.evidence_examples)
           : "") +
      (config.guard_quantile != CompareConfig{}.guard_quantile
           ? " --set guard_quantile=" + base::format_number(config.guard_quantile)
           : "") +
      (config.cascade.all ? " --cascade " + base::format_significant(config.cascade.share) : "") +
      (config.bench.empty() ? "" : " --bench " + config.bench) + " --out DIR");
  if (loaded.artefact)
    result.comparison.compiled = judge_operator(loaded, config.evidence_examples, threads);
  if (config.shown_examples > 0)
    result.gallery = collect_plans(loaded.encoder, loaded.compiled(), loaded.dataset,
                                   result.comparison, {.examples = config.shown_examples});
  result.study = study_heads(loaded, {}, threads);
  result.training = read_training_curves(config::RunFolder(run).metrics());
  result.scaling = scaling;
  return result;
}

}  // namespace asap::evaluate
