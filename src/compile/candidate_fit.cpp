#include "compile/candidate_fit.h"

#include <algorithm>

#include "base/parallel.h"
#include "compile/head_fit.h"

namespace asap::compile {
namespace {

/// The sample as the map of this mode sees it.
TeacherSample as_fitted(TeacherSample sample, attention::CompiledMode mode) {
  return mode == attention::CompiledMode::key_bias ? exchanged_sample(std::move(sample))
                                                   : std::move(sample);
}

/// The fits of one configuration, by head.
using Fits = std::vector<std::unique_ptr<HeadFit>>;

Fits begin_fits(const std::vector<std::unique_ptr<StatisticsPass>>& statistics,
                const CompileConfig& config, int threads) {
  Fits fits(statistics.size());
  base::parallel_for(std::ssize(fits), threads, [&](std::int64_t index, int) {
    fits[index] = std::make_unique<HeadFit>(statistics[index]->statistics(), config,
                                            static_cast<std::uint32_t>(index));
  });
  return fits;
}

/// One stage of these fits, which all belong to one mode and objective.
void run_stage(std::span<Fits> fits, const CompileConfig& config, const ExampleRange& range,
               HeadPasses& passes) {
  const bool with_duals = config.objective != DualObjective::ridge;
  passes.run(range, [&](std::int64_t index, const VisitedHead& v, tensor::Arena& scratch) {
    const TeacherSample sample =
        as_fitted(with_duals ? run_teacher(v.chunk, v.layer, v.head, v.example)
                             : head_sample(v.chunk, v.layer, v.head, v.example),
                  config.mode);
    for (Fits& one : fits) one[index]->add(sample, v.index, scratch);
  });
  for (Fits& one : fits)
    base::parallel_for(std::ssize(one), passes.threads(),
                       [&](std::int64_t index, int) { one[index]->finish_stage(); });
}

HeadsByLayer heads_of(const Fits& fits, std::int64_t heads_of_layer) {
  HeadsByLayer heads;
  for (std::size_t index = 0; index < fits.size(); ++index) {
    if (static_cast<std::int64_t>(index) % heads_of_layer == 0) heads.emplace_back();
    heads.back().push_back(fits[index]->head());
  }
  return heads;
}

}  // namespace

std::vector<std::unique_ptr<StatisticsPass>> gather_statistics(HeadPasses& passes,
                                                               const ExampleRange& range,
                                                               attention::CompiledMode mode) {
  const TeacherDescription& teacher = passes.source().teacher();
  std::vector<std::unique_ptr<StatisticsPass>> all;
  for (std::int64_t h = 0; h < passes.all_heads(); ++h)
    all.push_back(std::make_unique<StatisticsPass>(range.count, teacher.iterations));
  passes.run(range, [&](std::int64_t index, const VisitedHead& v, tensor::Arena& scratch) {
    all[index]->add(as_fitted(run_teacher(v.chunk, v.layer, v.head, v.example), mode), v.index,
                    scratch);
  });
  for (const auto& one : all)
    if (one->finish() == 0) refuse_empty(teacher.source, range);
  return all;
}

std::vector<HeadsByLayer> fit_maps(const std::vector<std::unique_ptr<StatisticsPass>>& statistics,
                                   const std::vector<CompileConfig>& configs,
                                   const ExampleRange& range, HeadPasses& passes) {
  std::vector<Fits> fits;
  for (const CompileConfig& config : configs)
    fits.push_back(begin_fits(statistics, config, passes.threads()));
  run_stage(fits, configs.at(0), range, passes);
  std::vector<HeadsByLayer> maps;
  for (std::size_t c = 0; c < fits.size(); ++c) {
    for (int stage = 1; stage < fits[c][0]->stages(); ++stage)
      run_stage({&fits[c], 1}, configs[c], range, passes);
    maps.push_back(heads_of(fits[c], passes.heads()));
    fits[c].clear();  // corrected iterations keep duals of every example
  }
  return maps;
}

attention::CompiledHead with_corrections(attention::CompiledHead head, int corrections) {
  head.features.corrections = corrections;
  const std::int64_t slices = head.features.uses_slices() ? head.query_slices.shape()[0] : 0;
  head.weights.resize(static_cast<std::size_t>(head.features.weight_count(slices)));
  return head;
}

std::vector<int> loop_lengths(int iterations) {
  std::vector<int> lengths;
  for (int k = 1; k < iterations; k += std::max(1, k / 3)) lengths.push_back(k);
  lengths.push_back(iterations);
  return lengths;
}

}  // namespace asap::compile
