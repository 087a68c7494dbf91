#include "train/matcher_engine.h"

#include <algorithm>

#include "autodiff/matching_ops.h"
#include "base/timing.h"

namespace asap::train {
namespace {

nn::MatcherInput<float> input_of(const data::KeypointSample::Image& image) {
  return {image.inputs.view(), image.descriptors.view()};
}

}  // namespace

MatcherEngine::MatcherEngine(const nn::Matcher<float>& model, const Settings& settings)
    : model_(model), settings_(settings) {
  for (int i = 0; i < std::max(settings.threads, 1); ++i)
    workers_.push_back(std::make_unique<Worker>());
}

void MatcherEngine::fill(const data::KeypointPairs& pairs, std::int64_t pair,
                         const data::SampleDraw& draw, data::KeypointSample& sample) const {
  data::fill_sample(pairs, pair, settings_.vary ? 0 : settings_.keypoints,
                    model_.config().response_scale, sample);
  if (settings_.vary) data::vary_sample(draw, settings_.keypoints, sample);
}

void MatcherEngine::run_pair(std::int64_t count, Part& part, Worker& worker,
                             const autodiff::FinalGradients& on_final) const {
  const auto& [first, second] = worker.sample.images;
  worker.tape.clear();
  worker.tape.bind(model_.parameters(), part.gradient.flat(), on_final);
  attention::AttentionEvidence evidence;
  Record& record = part.record;
  record = {};
  nn::PassContext<float> pass{worker.tape, evidence};
  const autodiff::Var<float> plan =
      model_.forward(pass, input_of(first), input_of(second), record.transport);
  const autodiff::Var<float> loss = autodiff::assignment_loss<float>(
      plan, {first.matches, second.matches}, static_cast<float>(count));
  worker.tape.backward(loss);
  record.loss = static_cast<double>(loss.value().data[0]);
  for (std::size_t i = 0; i < first.matches.size(); ++i) {
    if (first.matches[i] == data::kAmbiguous) continue;
    const auto row = plan.value().rows().row(static_cast<std::int64_t>(i));
    const std::int64_t best = std::ranges::max_element(row) - row.begin();
    const std::int64_t truth = first.matches[i] >= 0 ? first.matches[i] : std::ssize(row) - 1;
    ++record.scored;
    if (best == truth) ++record.right;
  }
}

StepOutcome MatcherEngine::compute(const data::KeypointPairs& pairs,
                                   std::span<const std::int64_t> indices, std::int64_t step,
                                   bool wants_to_stop) {
  const base::Stopwatch watch;
  const std::int64_t count = std::ssize(indices);
  const ShardRange own = own_shards(*settings_.team.ranks, count);
  while (std::ssize(parts_) < own.count)
    parts_.emplace_back().gradient =
        tensor::Tensor<float>({static_cast<std::int64_t>(model_.parameters().flat().size())});
  std::vector<tensor::VectorView<float>> gradients;
  for (std::int64_t i = 0; i < own.count; ++i)
    gradients.push_back(parts_[static_cast<std::size_t>(i)].gradient.flat());
  const auto run = [&](std::int64_t place, int thread, const autodiff::FinalGradients& on_final) {
    const std::int64_t index = own.first + place;
    const data::SampleDraw draw{settings_.seed, static_cast<std::uint32_t>(step),
                                static_cast<std::uint32_t>(index)};
    Worker& worker = *workers_[static_cast<std::size_t>(thread)];
    fill(pairs, indices[static_cast<std::size_t>(index)], draw, worker.sample);
    run_pair(count, parts_[static_cast<std::size_t>(place)], worker, on_final);
  };
  StepOutcome outcome;
  sum_while_computing(settings_.team, gradients, settings_.threads, run, [&] {
    std::vector<Record> records;
    for (std::int64_t i = 0; i < own.count; ++i)
      records.push_back(parts_[static_cast<std::size_t>(i)].record);
    outcome.reports = exchange_records<Record>(*settings_.team.ranks, records,
                                               {watch.seconds(), wants_to_stop}, records_);
  });

  std::int64_t right = 0, scored = 0;
  transport_ = {};
  for (const Record& record : records_) {
    outcome.loss += record.loss;
    right += record.right;
    scored += record.scored;
    transport_ += record.transport;
  }
  outcome.accuracy = scored > 0 ? static_cast<double>(right) / static_cast<double>(scored) : 0;
  return outcome;
}

}  // namespace asap::train
