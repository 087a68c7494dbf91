#include "compile/compile_heads.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/parallel.h"
#include "compile/column_errors.h"
#include "compile/head_fit.h"

namespace asap::compile {
namespace {

void check_possible(const TeacherDescription& teacher, const CompileConfig& config) {
  config.validate("configuration");
  if (teacher.iterations < 1)
    throw base::UsageError(
        "the teacher's attention is softmax (no Sinkhorn iterations): nothing to compile",
        "train with model.attention.kind=sinkhorn and iterations of at least 1");
  const std::int64_t wanted = std::int64_t{config.calibration} + config.held_out;
  if (teacher.examples < wanted)
    throw base::DataError(teacher.source + ": " + std::to_string(teacher.examples) +
                              " examples, but calibration and held_out need " +
                              std::to_string(wanted),
                          "lower calibration or held_out");
  const std::int64_t width = teacher.head_width;
  if (!config.chooses_features() && config.dual_features().uses_slices() &&
      config.slice_kind == SliceKind::canonical && config.slices > width)
    throw base::UsageError("`slices`: " + std::to_string(config.slices) +
                               " canonical slices, but a head of width " + std::to_string(width) +
                               " has only " + std::to_string(width),
                           "lower slices, or use slice_kind=random");
  if (config.objective == DualObjective::output && !teacher.has_values)
    throw base::UsageError("`objective`: 'output' needs values, which the activations do not hold");
}

bool is_live(const attention::AttentionBatch<float>& batch, std::int64_t example) {
  return batch.live_query_count(example) > 0 && batch.live_key_count(example) > 0;
}

/// What of one head a pass over examples is given: chunk, layer, head, example in the chunk and
/// number of the example among those of the pass.
struct Visited {
  const Activations& chunk;
  int layer;
  std::int64_t head;
  std::int64_t example;
  std::int64_t index;
};

/// Passes over the examples of a source, head by head in parallel.
class Passes {
 public:
  Passes(const ActivationSource& source, int threads, std::int64_t total,
         const CompileProgress& progress)
      : source_(source),
        threads_(threads),
        total_(total),
        progress_(progress),
        scratch_(static_cast<std::size_t>(std::max(threads, 1))) {}

  std::int64_t heads() const { return source_.teacher().heads; }
  std::int64_t all_heads() const { return source_.teacher().layers * heads(); }

  /// Calls body(number of the head among all, visited, scratch) for every live example of `range`;
  /// the examples of a head in order.
  template <class Body>
  void run(const ExampleRange& range, const Body& body) {
    source_.for_each_chunk(range, [&](const Activations& chunk, const ExampleRange& inside,
                                      std::int64_t first) {
      base::parallel_for(all_heads(), threads_, [&](std::int64_t index, int worker) {
        const int layer = static_cast<int>(index / heads());
        const attention::AttentionBatch<float> batch = chunk.batch(layer);
        for (std::int64_t e = 0; e < inside.count; ++e)
          if (is_live(batch, inside.first + e))
            body(index,
                 Visited{chunk, layer, index % heads(), inside.first + e, first - range.first + e},
                 scratch_[static_cast<std::size_t>(worker)]);
      });
      report(inside.count);
    });
  }

  /// `examples` more are done.
  void report(std::int64_t examples) {
    done_ += examples;
    if (progress_) progress_(done_, total_);
  }

 private:
  const ActivationSource& source_;
  int threads_;
  std::int64_t total_;
  const CompileProgress& progress_;
  std::vector<tensor::Arena> scratch_;  // one per thread: heads take turns
  std::int64_t done_ = 0;
};

[[noreturn]] void refuse_empty(const std::string& source, const ExampleRange& range) {
  throw base::DataError(source + ": no live tokens in examples " + std::to_string(range.first) +
                        " to " + std::to_string(range.first + range.count - 1));
}

/// The sample as the map of this mode sees it.
TeacherSample as_fitted(TeacherSample sample, attention::CompiledMode mode) {
  return mode == attention::CompiledMode::key_bias ? exchanged_sample(std::move(sample))
                                                   : std::move(sample);
}

/// The statistics of every head; StatisticsPass is not movable.
std::vector<std::unique_ptr<StatisticsPass>> gather_statistics(const ActivationSource& source,
                                                               const ExampleRange& range,
                                                               attention::CompiledMode mode,
                                                               Passes& passes) {
  std::vector<std::unique_ptr<StatisticsPass>> all;
  for (std::int64_t h = 0; h < passes.all_heads(); ++h)
    all.push_back(std::make_unique<StatisticsPass>(range.count, source.teacher().iterations));
  passes.run(range, [&](std::int64_t index, const Visited& v, tensor::Arena& scratch) {
    all[index]->add(as_fitted(run_teacher(v.chunk, v.layer, v.head, v.example), mode), v.index,
                    scratch);
  });
  for (const auto& one : all)
    if (one->finish() == 0) refuse_empty(source.teacher().source, range);
  return all;
}

using Heads = std::vector<std::vector<attention::CompiledHead>>;

Heads fit_all(const std::vector<std::unique_ptr<StatisticsPass>>& statistics,
              const CompileConfig& config, const ExampleRange& range, int threads, Passes& passes) {
  std::vector<std::unique_ptr<HeadFit>> fits(statistics.size());
  base::parallel_for(std::ssize(fits), threads, [&](std::int64_t index, int) {
    fits[index] = std::make_unique<HeadFit>(statistics[index]->statistics(), config,
                                            static_cast<std::uint32_t>(index));
  });
  const bool with_duals = config.objective != DualObjective::ridge;
  for (int stage = 0; stage < fits[0]->stages(); ++stage) {
    passes.run(range, [&](std::int64_t index, const Visited& v, tensor::Arena& scratch) {
      TeacherSample sample = with_duals ? run_teacher(v.chunk, v.layer, v.head, v.example)
                                        : head_sample(v.chunk, v.layer, v.head, v.example);
      fits[index]->add(as_fitted(std::move(sample), config.mode), v.index, scratch);
    });
    base::parallel_for(std::ssize(fits), threads,
                       [&](std::int64_t index, int) { fits[index]->finish_stage(); });
  }
  Heads heads;
  for (std::size_t index = 0; index < fits.size(); ++index) {
    if (static_cast<std::int64_t>(index) % passes.heads() == 0) heads.emplace_back();
    heads.back().push_back(fits[index]->head());
  }
  return heads;
}

using Evidence = std::vector<std::vector<HeadEvidence>>;

/// The evidence of several operators, [operator][layer][head], on examples that no fit has seen.
std::vector<Evidence> measure_all(const ActivationSource& source, const std::vector<Heads>& choices,
                                  const ExampleRange& range, Passes& passes) {
  std::vector<std::vector<std::unique_ptr<HeadMeasurement>>> measured(choices.size());
  for (std::size_t c = 0; c < choices.size(); ++c)
    for (const auto& layer : choices[c])
      for (const attention::CompiledHead& head : layer)
        measured[c].push_back(std::make_unique<HeadMeasurement>(head));
  std::vector<std::int64_t> live(static_cast<std::size_t>(passes.all_heads()));
  passes.run(range, [&](std::int64_t index, const Visited& v, tensor::Arena& scratch) {
    const TeacherSample sample = run_teacher(v.chunk, v.layer, v.head, v.example);
    for (auto& heads : measured) heads[index]->add(sample, scratch);
    ++live[index];
  });
  if (std::ranges::min(live) == 0) refuse_empty(source.teacher().source, range);
  std::vector<Evidence> all(choices.size());
  for (std::size_t c = 0; c < choices.size(); ++c)
    for (std::size_t index = 0; index < measured[c].size(); ++index) {
      if (static_cast<std::int64_t>(index) % passes.heads() == 0) all[c].emplace_back();
      all[c].back().push_back(measured[c][index]->evidence());
    }
  return all;
}

/// What the certificates of a head will be held against: its column errors on all examples, because
/// those of the fit are many and hardly differ from others, and the teacher's. A key bias has no
/// certificate: its plan is a softmax, whose columns nothing normalises.
void add_column_errors(const ActivationSource& source, const ExampleRange& range, int threads,
                       Passes& passes, CompiledModel& model) {
  if (model.config.mode == attention::CompiledMode::key_bias) {
    passes.report(range.count);
    return;
  }
  ColumnErrorsByHead errors = measure_column_errors(
      source, model.heads, range, threads, [&](std::int64_t examples) { passes.report(examples); });
  for (std::size_t layer = 0; layer < errors.size(); ++layer)
    for (std::size_t head = 0; head < errors[layer].size(); ++head) {
      std::vector<float>& sorted = errors[layer][head];
      std::ranges::sort(sorted);
      model.heads[layer][head].column_errors = {
          std::move(sorted), static_cast<float>(model.evidence[layer][head].teacher_column_error)};
    }
}

std::vector<CompileConfig> fitting_candidates(const CompileConfig& config,
                                              const TeacherDescription& teacher) {
  std::vector<CompileConfig> candidates = config.candidates();
  if (config.chooses_features() && config.slice_kind == SliceKind::canonical)
    for (CompileConfig& candidate : candidates)
      candidate.slices =
          static_cast<int>(std::min<std::int64_t>(candidate.slices, teacher.head_width));
  return candidates;
}

/// The first candidate that is nearly as good as the best.
std::size_t choose(const std::vector<Candidate>& candidates) {
  double least = INFINITY;
  for (const Candidate& candidate : candidates) least = std::min(least, candidate.error());
  for (std::size_t c = 0; c < candidates.size(); ++c)
    if (candidates[c].error() <= kNearlyAsGood * least) return c;
  return 0;
}

}  // namespace

std::vector<TeacherSample> run_teachers(const Activations& activations, int layer,
                                        std::int64_t head, const ExampleRange& examples) {
  const attention::AttentionBatch<float> batch = activations.batch(layer);
  const std::int64_t end = examples.first + examples.count;
  std::vector<TeacherSample> samples;
  for (std::int64_t example = examples.first; example < end; ++example)
    if (is_live(batch, example)) samples.push_back(run_teacher(activations, layer, head, example));
  if (samples.empty()) refuse_empty(activations.source, examples);
  return samples;
}

std::int64_t compile_steps(const CompileConfig& config) {
  std::int64_t passes = 1;
  for (const CompileConfig& candidate : config.candidates())
    passes += candidate.dual_features().corrections + 1;
  // One more over all of them for the column errors.
  return (passes + 1) * config.calibration + 2 * std::int64_t{config.held_out};
}

CompiledModel compile_heads(const ActivationSource& source, const CompileConfig& config,
                            int threads, const CompileProgress& progress) {
  check_possible(source.teacher(), config);
  const ExampleRange fitted{0, config.calibration};
  const ExampleRange held_out{config.calibration, config.held_out};
  const std::vector<CompileConfig> candidates = fitting_candidates(config, source.teacher());
  Passes passes(source, threads, compile_steps(config), progress);
  const std::vector<std::unique_ptr<StatisticsPass>> statistics =
      gather_statistics(source, fitted, config.mode, passes);
  std::vector<Heads> choices;
  for (const CompileConfig& candidate : candidates)
    choices.push_back(fit_all(statistics, candidate, fitted, threads, passes));
  std::vector<Evidence> evidence = measure_all(source, choices, held_out, passes);

  CompiledModel model;
  for (std::size_t c = 0; c < candidates.size(); ++c)
    model.candidates.push_back({candidates[c].features, mean_evidence(evidence[c])});
  const std::size_t best = choose(model.candidates);
  model.config = candidates[best];
  model.heads = std::move(choices[best]);
  model.evidence = std::move(evidence[best]);
  model.fitted_examples = config.calibration;
  model.held_out_examples = config.held_out;
  add_column_errors(source, {0, fitted.count + held_out.count}, threads, passes, model);
  return model;
}

CompiledModel compile_heads(const Activations& activations, const CompileConfig& config,
                            int threads, const CompileProgress& progress) {
  return compile_heads(ResidentActivations(activations), config, threads, progress);
}

}  // namespace asap::compile
