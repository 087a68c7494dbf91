#include "train/matcher_engine.h"

#include <algorithm>

#include "autodiff/matching_ops.h"
#include "base/parallel.h"
#include "train/gradient_sum.h"

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

void MatcherEngine::run_pair(const data::KeypointPairs& pairs, std::int64_t pair,
                             std::int64_t count, const data::SampleDraw& draw, Part& part,
                             Worker& worker) const {
  data::fill_sample(pairs, pair, settings_.vary ? 0 : settings_.keypoints,
                    model_.config().response_scale, worker.sample);
  if (settings_.vary) data::vary_sample(draw, settings_.keypoints, worker.sample);
  const auto& [first, second] = worker.sample.images;
  worker.tape.clear();
  worker.tape.bind(model_.parameters(), part.gradient.flat());
  attention::AttentionEvidence evidence;
  part.transport = {};
  nn::PassContext<float> pass{worker.tape, evidence};
  const autodiff::Var<float> plan =
      model_.forward(pass, input_of(first), input_of(second), part.transport);
  const autodiff::Var<float> loss = autodiff::assignment_loss<float>(
      plan, {first.matches, second.matches}, static_cast<float>(count));
  worker.tape.backward(loss);
  part.loss = static_cast<double>(loss.value().data[0]);
  part.right = part.scored = 0;
  for (std::size_t i = 0; i < first.matches.size(); ++i) {
    if (first.matches[i] == data::kAmbiguous) continue;
    const auto row = plan.value().rows().row(static_cast<std::int64_t>(i));
    const std::int64_t best = std::ranges::max_element(row) - row.begin();
    const std::int64_t truth = first.matches[i] >= 0 ? first.matches[i] : std::ssize(row) - 1;
    ++part.scored;
    if (best == truth) ++part.right;
  }
}

StepOutcome MatcherEngine::compute(const data::KeypointPairs& pairs,
                                   std::span<const std::int64_t> indices, std::int64_t step) {
  const std::int64_t count = std::ssize(indices);
  while (std::ssize(parts_) < count)
    parts_.emplace_back().gradient =
        tensor::Tensor<float>({static_cast<std::int64_t>(model_.parameters().flat().size())});
  base::parallel_for(count, settings_.threads, [&](std::int64_t index, int worker) {
    const data::SampleDraw draw{settings_.seed, static_cast<std::uint32_t>(step),
                                static_cast<std::uint32_t>(index)};
    run_pair(pairs, indices[static_cast<std::size_t>(index)], count, draw,
             parts_[static_cast<std::size_t>(index)], *workers_[static_cast<std::size_t>(worker)]);
  });
  std::vector<tensor::Tensor<float>*> gradients;
  for (std::int64_t i = 0; i < count; ++i)
    gradients.push_back(&parts_[static_cast<std::size_t>(i)].gradient);
  sum_gradients(gradients, settings_.threads);

  StepOutcome outcome;
  std::int64_t right = 0, scored = 0;
  transport_ = {};
  for (std::int64_t i = 0; i < count; ++i) {
    const Part& part = parts_[static_cast<std::size_t>(i)];
    outcome.loss += part.loss;
    right += part.right;
    scored += part.scored;
    transport_ += part.transport;
  }
  outcome.accuracy = scored > 0 ? static_cast<double>(right) / static_cast<double>(scored) : 0;
  return outcome;
}

}  // namespace asap::train
