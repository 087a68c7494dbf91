#include "train/shard_engine.h"

#include <algorithm>

#include "autodiff/row_ops.h"
#include "base/timing.h"
#include "infer/scorer.h"

namespace asap::train {
ShardEngine::ShardEngine(const nn::Transformer<float>& model, const ShardEngineConfig& config)
    : model_(model), config_(config) {
  for (int i = 0; i < std::max(config.threads, 1); ++i)
    workers_.push_back(std::make_unique<Worker>());
}

void ShardEngine::run_shard(const Step& step, std::int64_t index, Shard& shard, Worker& worker,
                            const autodiff::FinalGradients& on_final) const {
  const std::int64_t first = index * config_.shard;
  const std::int64_t count =
      std::min<std::int64_t>(config_.shard, std::ssize(step.indices) - first);
  data::Batch& batch = worker.batch;
  const data::ExampleDraw draw{config_.seed, step.number, static_cast<std::uint32_t>(first)};
  batch.fill(step.data,
             step.indices.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
             draw);
  batch.augment_images(config_.images, draw);
  batch.drop_words(config_.word_dropout, draw);

  shard.record.evidence = {};
  worker.tape.clear();
  worker.tape.bind(model_.parameters(), shard.gradient.flat(), on_final);
  nn::PassContext<float> pass{
      worker.tape, shard.record.evidence, config_.dropout,
      autodiff::DropoutKey{config_.seed, step.number, static_cast<std::uint32_t>(first)},
      config_.embedding_dropout};
  pass.batch_share = static_cast<double>(count) / static_cast<double>(step.indices.size());
  const autodiff::Var<float> logits = model_.forward(pass, batch.input());
  const autodiff::Var<float> loss = autodiff::cross_entropy<float>(
      logits, batch.labels(), static_cast<float>(config_.label_smoothing),
      static_cast<float>(step.scored));
  worker.tape.backward(loss);
  shard.record.loss = static_cast<double>(loss.value().data[0]);
  shard.record.correct = infer::score_predictions(logits.value().rows(), batch.labels()).correct;
}

std::int64_t ShardEngine::step_peak_bytes() const {
  std::size_t total = 0;
  for (const std::unique_ptr<Worker>& worker : workers_) total += worker->tape.arena().peak_bytes();
  return static_cast<std::int64_t>(total);
}

StepOutcome ShardEngine::compute(const data::Dataset& data, std::span<const std::int64_t> indices,
                                 std::int64_t step, bool wants_to_stop) {
  const base::Stopwatch watch;
  const std::int64_t count = (std::ssize(indices) + config_.shard - 1) / config_.shard;
  const ShardRange own = own_shards(*config_.team.ranks, count);
  const Step shared{data, indices, static_cast<std::uint32_t>(step),
                    std::max<std::int64_t>(data::count_scored(data, indices), 1)};
  while (std::ssize(shards_) < own.count) {
    const auto size = static_cast<std::int64_t>(model_.parameters().flat().size());
    shards_.emplace_back().gradient = tensor::Tensor<float>({size});
  }
  std::vector<tensor::VectorView<float>> gradients;
  for (std::int64_t s = 0; s < own.count; ++s)
    gradients.push_back(shards_[static_cast<std::size_t>(s)].gradient.flat());
  const auto run = [&](std::int64_t place, int worker, const autodiff::FinalGradients& on_final) {
    run_shard(shared, own.first + place, shards_[static_cast<std::size_t>(place)],
              *workers_[static_cast<std::size_t>(worker)], on_final);
  };
  StepOutcome outcome;
  sum_while_computing(config_.team, gradients, config_.threads, run, [&] {
    std::vector<Record> records;
    for (std::int64_t s = 0; s < own.count; ++s)
      records.push_back(shards_[static_cast<std::size_t>(s)].record);
    outcome.reports = exchange_records<Record>(*config_.team.ranks, records,
                                               {watch.seconds(), wants_to_stop}, records_);
  });
  for (const Record& record : records_) {
    outcome.loss += record.loss;
    outcome.accuracy += static_cast<double>(record.correct) / static_cast<double>(shared.scored);
    outcome.evidence += record.evidence;
  }
  return outcome;
}

}  // namespace asap::train
