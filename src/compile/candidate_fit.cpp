#include "compile/candidate_fit.h"

#include <algorithm>

#include "compile/head_fit.h"

namespace asap::compile {
namespace {

/// The sample as the map of this mode sees it.
TeacherSample as_fitted(TeacherSample sample, attention::CompiledMode mode) {
  return mode == attention::CompiledMode::key_bias ? exchanged_sample(std::move(sample))
                                                   : std::move(sample);
}

/// What of a head has a fixed size.
struct HeadNumbers {
  attention::DualFeatures features;
  attention::CompiledMode mode;
  float score_scale, slack;
  int teacher_iterations, iterations;
  attention::ProductPrecision precision;
};

template <class T>
void pack_tensor(const tensor::Tensor<T>& values, std::string& bytes) {
  distributed::pack_value(values.shape(), bytes);
  distributed::pack(std::span<const T>(values.flat()), bytes);
}

template <class T>
tensor::Tensor<T> unpack_tensor(distributed::Unpacker& unpacker) {
  const auto shape = unpacker.value<tensor::Shape>();
  if (shape.rank() == 0) return {};
  tensor::Tensor<T> values(shape);
  unpacker.fill(std::span<T>(values.flat()));
  return values;
}

std::string packed(const attention::CompiledHead& head) {
  std::string bytes;
  const HeadNumbers numbers{head.features,           head.mode,       head.score_scale, head.slack,
                            head.teacher_iterations, head.iterations, head.precision};
  distributed::pack_value(numbers, bytes);
  for (const tensor::Tensor<float>* values :
       {&head.query_slices, &head.key_slices, &head.landmarks})
    pack_tensor(*values, bytes);
  distributed::pack_value(head.weights.size(), bytes);
  distributed::pack(std::span<const float>(head.weights), bytes);
  return bytes;
}

attention::CompiledHead unpacked(const std::string& bytes) {
  distributed::Unpacker unpacker(bytes);
  const auto numbers = unpacker.value<HeadNumbers>();
  attention::CompiledHead head{.features = numbers.features,
                               .mode = numbers.mode,
                               .score_scale = numbers.score_scale,
                               .slack = numbers.slack,
                               .teacher_iterations = numbers.teacher_iterations,
                               .iterations = numbers.iterations,
                               .precision = numbers.precision};
  for (tensor::Tensor<float>* values : {&head.query_slices, &head.key_slices, &head.landmarks})
    *values = unpack_tensor<float>(unpacker);
  head.weights.resize(unpacker.value<std::size_t>());
  unpacker.fill(std::span(head.weights));
  return head;
}

/// The fits of one configuration, by head; null for those of other ranks.
using Fits = std::vector<std::unique_ptr<HeadFit>>;

Fits begin_fits(const std::vector<std::unique_ptr<StatisticsPass>>& statistics,
                const CompileConfig& config, const HeadPasses& passes) {
  Fits fits(statistics.size());
  passes.for_each_head([&](std::int64_t index) {
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
    passes.for_each_head([&](std::int64_t index) { one[index]->finish_stage(); });
}

/// The heads of all ranks.
HeadsByLayer heads_of(const Fits& fits, const HeadPasses& passes) {
  std::vector<attention::CompiledHead> own;
  for (const std::unique_ptr<HeadFit>& fit : fits)
    if (fit) own.push_back(fit->head());
  HeadsByLayer heads;
  for (attention::CompiledHead& head : exchange_heads(passes.share(), std::move(own))) {
    if (heads.empty() || std::ssize(heads.back()) == passes.heads()) heads.emplace_back();
    heads.back().push_back(std::move(head));
  }
  return heads;
}

}  // namespace

std::vector<std::unique_ptr<StatisticsPass>> gather_statistics(HeadPasses& passes,
                                                               const ExampleRange& range,
                                                               attention::CompiledMode mode) {
  const TeacherDescription& teacher = passes.source().teacher();
  std::vector<std::unique_ptr<StatisticsPass>> all(static_cast<std::size_t>(passes.all_heads()));
  passes.for_each_head([&](std::int64_t index) {
    all[index] = std::make_unique<StatisticsPass>(range.count, teacher.iterations);
  });
  passes.run(range, [&](std::int64_t index, const VisitedHead& v, tensor::Arena& scratch) {
    all[index]->add(as_fitted(run_teacher(v.chunk, v.layer, v.head, v.example), mode), v.index,
                    scratch);
  });
  for (const auto& one : all)
    if (one && one->finish() == 0) refuse_empty(teacher.source, range);
  return all;
}

std::vector<HeadsByLayer> fit_maps(const std::vector<std::unique_ptr<StatisticsPass>>& statistics,
                                   const std::vector<CompileConfig>& configs,
                                   const ExampleRange& range, HeadPasses& passes) {
  std::vector<Fits> fits;
  for (const CompileConfig& config : configs)
    fits.push_back(begin_fits(statistics, config, passes));
  run_stage(fits, configs.at(0), range, passes);
  std::vector<HeadsByLayer> maps;
  for (std::size_t c = 0; c < fits.size(); ++c) {
    for (int stage = 1; stage <= configs[c].dual_features().corrections; ++stage)
      run_stage({&fits[c], 1}, configs[c], range, passes);
    maps.push_back(heads_of(fits[c], passes));
    fits[c].clear();  // corrected iterations keep duals of every example
  }
  return maps;
}

std::vector<attention::CompiledHead> exchange_heads(const distributed::ItemShare& share,
                                                    std::vector<attention::CompiledHead> own) {
  if (!share.is_shared()) return own;
  std::vector<std::string> bytes;
  for (const attention::CompiledHead& head : own) bytes.push_back(packed(head));
  std::vector<attention::CompiledHead> all;
  for (const std::string& one : share.exchange(bytes)) all.push_back(unpacked(one));
  return all;
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
