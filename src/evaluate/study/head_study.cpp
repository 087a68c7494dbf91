#include "evaluate/study/head_study.h"

#include <algorithm>
#include <numeric>

#include "base/parallel.h"
#include "compile/calibration.h"
#include "compile/compile_heads.h"
#include "evaluate/study/plan_measures.h"

namespace asap::evaluate {
namespace {

/// How many of the first examples hold no more scores than the work.
std::int64_t affordable_examples(const infer::Encoder& encoder, const data::Dataset& dataset,
                                 const StudySettings& settings) {
  const config::ModelConfig& config = encoder.config();
  const double heads = static_cast<double>(config.layers) * config.heads;
  double work = 0;
  std::int64_t count = 0;
  while (count < std::min<std::int64_t>(settings.examples, dataset.size())) {
    const auto tokens = static_cast<double>(
        config.kind == config::ModelKind::vit ? config.tokens() : dataset.tokens(count) + 1);
    work += heads * tokens * tokens;
    if (work > static_cast<double>(settings.work)) break;
    ++count;
  }
  return count;
}

/// Keeps `most` of the values, evenly spread.
std::vector<double> thinned(const std::vector<double>& values, std::size_t most) {
  if (values.size() <= most) return values;
  std::vector<double> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(values[i * values.size() / most]);
  return kept;
}

void study_duals(const attention::CompiledHead& head,
                 const std::vector<compile::TeacherSample>& samples, std::size_t points,
                 HeadStudy& study) {
  if (!head.predicts()) return;
  std::vector<double> target, predicted;
  double residual = 0, variance = 0;
  for (const compile::TeacherSample& sample : samples) {
    const std::vector<double> dual = compile::predicted_dual(head, sample);
    const std::vector<double>& exact = compile::target_of(head, sample);
    for (std::size_t i = 0; i < dual.size(); ++i) {
      residual += (exact[i] - dual[i]) * (exact[i] - dual[i]);
      variance += exact[i] * exact[i];
    }
    target.insert(target.end(), exact.begin(), exact.end());
    predicted.insert(predicted.end(), dual.begin(), dual.end());
  }
  study.dual_r2 = variance > 0 ? 1 - residual / variance : 1;
  study.target = thinned(target, points);
  study.predicted = thinned(predicted, points);
}

std::vector<double> mean_column_errors(const compile::Activations& activations, int layer,
                                       std::int64_t head, int iterations) {
  const attention::AttentionBatch<float> batch = activations.batch(layer);
  const auto scale = static_cast<float>(activations.layers[layer].score_scales[head]);
  const std::vector<double>& slacks = activations.layers[layer].slacks;
  const float slack = slacks.empty() ? 0.0f : static_cast<float>(slacks[head]);
  std::vector<double> mean(static_cast<std::size_t>(iterations) + 1);
  std::int64_t examples = 0;
  tensor::Arena scratch;
  for (std::int64_t example = 0; example < activations.examples; ++example) {
    if (batch.live_query_count(example) == 0) continue;
    attention::AttentionHead<float> inputs{
        batch.head_queries(example, head), batch.head_keys(example, head), {}, scale};
    inputs.slack = slack;
    const std::vector<double> errors = column_errors_by_iteration(inputs, iterations, scratch);
    for (std::size_t t = 0; t < errors.size(); ++t) mean[t] += errors[t];
    ++examples;
  }
  for (double& value : mean) value /= static_cast<double>(std::max<std::int64_t>(examples, 1));
  return mean;
}

}  // namespace

NetworkStudy study_heads(const EvaluatedRun& run, const StudySettings& settings, int threads) {
  NetworkStudy study;
  const config::AttentionConfig& attention = run.encoder.config().attention;
  if (attention.kind != config::AttentionKind::softmax && !attention.has_sinkhorn_plan())
    return study;
  study.examples = affordable_examples(run.encoder, run.dataset, settings);
  if (study.examples == 0) return study;
  std::vector<std::int64_t> first(static_cast<std::size_t>(study.examples));
  std::iota(first.begin(), first.end(), std::int64_t{0});
  const compile::Activations activations = compile::capture_activations(
      run.encoder, run.dataset, first,
      run.artefact ? std::optional(run.artefact->teacher_iterations) : std::nullopt, threads);
  study.heads.assign(activations.layers.size(),
                     std::vector<HeadStudy>(static_cast<std::size_t>(activations.heads)));
  base::parallel_for(
      std::ssize(study.heads) * activations.heads, threads, [&](std::int64_t index, int) {
        const auto layer = static_cast<int>(index / activations.heads);
        const std::int64_t head = index % activations.heads;
        HeadStudy& out =
            study.heads[static_cast<std::size_t>(layer)][static_cast<std::size_t>(head)];
        out.column_errors = mean_column_errors(activations, layer, head, settings.iterations);
        if (!run.artefact) return;
        const std::vector<compile::TeacherSample> samples =
            compile::run_teachers(activations, layer, head, {0, study.examples});
        study_duals(
            run.artefact->heads[static_cast<std::size_t>(layer)][static_cast<std::size_t>(head)],
            samples, static_cast<std::size_t>(settings.points), out);
      });
  return study;
}

}  // namespace asap::evaluate
