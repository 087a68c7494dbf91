#include "compile/compile_heads.h"

#include <algorithm>
#include <mutex>

#include "base/parallel.h"
#include "compile/descent_fit.h"

namespace asap::compile {
namespace {

void check_possible(const Activations& activations, const CompileConfig& config) {
  config.validate("configuration");
  if (activations.iterations < 1)
    throw base::UsageError(
        "the teacher's attention is softmax (no Sinkhorn iterations): nothing to compile",
        "train with model.attention.kind=sinkhorn and iterations of at least 1");
  const std::int64_t wanted = std::int64_t{config.calibration} + config.held_out;
  if (activations.examples < wanted)
    throw base::DataError(activations.source + ": " + std::to_string(activations.examples) +
                              " examples, but calibration and held_out need " +
                              std::to_string(wanted),
                          "lower calibration or held_out");
  for (const LayerActivations& layer : activations.layers) {
    const std::int64_t width = layer.queries.shape()[1] / activations.heads;
    if (config.dual_features().uses_slices() && config.slice_kind == SliceKind::canonical &&
        config.slices > width)
      throw base::UsageError("`slices`: " + std::to_string(config.slices) +
                                 " canonical slices, but a head of width " + std::to_string(width) +
                                 " has only " + std::to_string(width),
                             "lower slices, or use slice_kind=random");
    if (config.objective == DualObjective::output && layer.values.size() == 0)
      throw base::UsageError(
          "`objective`: 'output' needs values, which the activations do not hold");
  }
}

attention::CompiledHead fit_head(std::span<const TeacherSample> samples,
                                 const CompileConfig& config, std::uint32_t stream) {
  const attention::DualFeatures features = config.dual_features();
  const transport::Slices slices =
      features.uses_slices() ? choose_slices(samples, config, stream) : transport::Slices{};
  const attention::DualMap<double> map{features, slices.query.rows(), slices.key.rows(), {}};
  std::vector<FitSample> fits;
  tensor::Arena scratch;
  for (const TeacherSample& sample : samples)
    fits.push_back({centred_features(map, sample, scratch), sample.target});
  std::vector<double> weights = fit_ridge(fits, config.ridge);
  if (config.objective != DualObjective::ridge)
    weights = fit_by_descent(fits, samples, config.objective, config.descent, std::move(weights));
  return {features, static_cast<float>(samples[0].score_scale), converted<float>(slices.query),
          converted<float>(slices.key), std::vector<float>(weights.begin(), weights.end())};
}

}  // namespace

std::vector<TeacherSample> run_teachers(const Activations& activations, int layer,
                                        std::int64_t head, const ExampleRange& examples) {
  const attention::AttentionBatch<float> batch = activations.batch(layer);
  const std::int64_t end = examples.first + examples.count;
  std::vector<TeacherSample> samples;
  for (std::int64_t example = examples.first; example < end; ++example)
    if (batch.live_query_count(example) > 0 && batch.live_key_count(example) > 0)
      samples.push_back(run_teacher(activations, layer, head, example));
  if (samples.empty())
    throw base::DataError(activations.source + ": no live tokens in examples " +
                          std::to_string(examples.first) + " to " + std::to_string(end - 1));
  return samples;
}

CompiledModel compile_heads(const Activations& activations, const CompileConfig& config,
                            int threads, const CompileProgress& progress) {
  check_possible(activations, config);
  const auto layers = static_cast<std::int64_t>(activations.layers.size());
  const std::int64_t heads = activations.heads, total = layers * heads;
  CompiledModel model;
  model.heads.assign(layers, std::vector<attention::CompiledHead>(heads));
  model.evidence.assign(layers, std::vector<HeadEvidence>(heads));
  model.fitted_examples = config.calibration;
  model.held_out_examples = config.held_out;
  std::mutex mutex;
  std::int64_t done = 0;
  base::parallel_for(total, threads, [&](std::int64_t index, int) {
    const int layer = static_cast<int>(index / heads);
    const std::int64_t head = index % heads;
    attention::CompiledHead& compiled = model.heads[layer][head];
    compiled = fit_head(run_teachers(activations, layer, head, {0, config.calibration}), config,
                        static_cast<std::uint32_t>(index));
    model.evidence[layer][head] = measure_head(
        compiled, run_teachers(activations, layer, head, {config.calibration, config.held_out}));
    const std::lock_guard lock(mutex);
    if (progress) progress(++done, total);
  });
  return model;
}

}  // namespace asap::compile
