#include "evaluate/compare/turns.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "infer/scorer.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kShard = 16;       // examples one thread takes at a time
constexpr std::int64_t kMostShards = 32;  // that a method classifies before the next one does
constexpr double kTurnSeconds = 0.02;     // about so long that takes
constexpr std::int64_t kLeastTurns = 40;  // fewest of every method; small data sets run again

std::int32_t finite_prediction(tensor::VectorView<const float> logits, const std::string& method) {
  if (!std::ranges::all_of(logits, [](float value) { return std::isfinite(value); }))
    throw base::NumericalError("method '" + method + "': the network's outputs are not finite",
                               "the trained weights may hold NaN; see metrics.jsonl of the run");
  return infer::predicted_class(logits);
}

/// Stores the predictions of a batch at the places of its labels in the data set. Tokens that are
/// not scored are left out.
void keep_predictions(const data::Dataset& dataset, std::span<const std::int64_t> examples,
                      tensor::MatrixView<const float> logits, MethodContestant& contestant) {
  const std::int64_t rows = logits.rows / std::ssize(examples);  // per example
  for (std::int64_t b = 0; b < std::ssize(examples); ++b) {
    const std::int64_t example = examples[b], first = dataset.first_label(example);
    for (std::int64_t i = 0; i < dataset.label_count(example); ++i)
      if (dataset.labels[first + i] != data::kNotScored)
        contestant.predictions[first + i] =
            finite_prediction(logits.row(b * rows + i), contestant.method.name());
  }
}

/// What a rank did in a turn.
struct TurnPart {
  double seconds = 0, attention_seconds = 0;
  std::int64_t reruns = 0;
};

/// Adds a turn to the times of a method: it lasts as long as the slowest rank.
void add_turn(const TurnPart& own, distributed::Ranks& ranks, MethodContestant& contestant) {
  TurnPart turn;
  for (const TurnPart& part : distributed::gather_values(ranks, own)) {
    turn.seconds = std::max(turn.seconds, part.seconds);
    turn.attention_seconds += part.attention_seconds;
    turn.reruns += part.reruns;
  }
  contestant.seconds.push_back(turn.seconds);
  contestant.attention_seconds.push_back(turn.attention_seconds);
  contestant.reruns += turn.reruns;
}

/// Calls visit(predictions) for the predictions of each example of a batch, in place.
template <class Visit>
void for_each_answer(const data::Dataset& dataset, std::span<const std::int64_t> examples,
                     MethodContestant& contestant, const Visit& visit) {
  for (const std::int64_t example : examples)
    visit(std::span(contestant.predictions)
              .subspan(static_cast<std::size_t>(dataset.first_label(example)),
                       static_cast<std::size_t>(dataset.label_count(example))));
}

/// Gives this rank the predictions for the batches of others.
void exchange_predictions(const data::Dataset& dataset, const Chunk& chunk,
                          const distributed::ItemShare& share, MethodContestant& contestant) {
  std::vector<std::string> own(static_cast<std::size_t>(share.own()));
  for (std::int64_t place = 0; place < share.own(); ++place)
    for_each_answer(dataset, chunk.shard_examples(share.item(place)), contestant,
                    [&](std::span<const std::int32_t> predictions) {
                      distributed::pack(predictions, own[static_cast<std::size_t>(place)]);
                    });
  const std::vector<std::string> all = share.exchange(own);
  for (std::int64_t batch = 0; batch < std::ssize(all); ++batch) {
    distributed::Unpacker unpacker(all[static_cast<std::size_t>(batch)]);
    for_each_answer(dataset, chunk.shard_examples(batch), contestant,
                    [&](std::span<std::int32_t> predictions) { unpacker.fill(predictions); });
  }
}

/// Runs one method over a chunk and adds to its predictions and times.
void classify(const infer::Encoder& encoder, const data::Dataset& dataset, const Chunk& chunk,
              const distributed::Workers& workers, std::vector<tensor::Arena>& arenas,
              MethodContestant& contestant) {
  const std::vector<data::Batch>& batches = chunk.batches();
  const distributed::ItemShare share(*workers.ranks, std::ssize(batches));
  std::vector<tensor::Tensor<float>> logits;
  for (std::int64_t place = 0; place < share.own(); ++place)
    logits.emplace_back(tensor::Shape{encoder.logit_rows(batches[share.item(place)].input()),
                                      encoder.config().classes});
  std::vector<std::int64_t> reruns(logits.size());
  const double attention_before = contestant.attention_so_far();
  const base::Stopwatch watch;
  base::parallel_for(share.own(), workers.threads, [&](std::int64_t turn, int worker) {
    const std::int64_t place = share.own() - 1 - turn;  // the longest first
    const std::int64_t index = share.item(place);
    const tensor::MatrixView<float> out = logits[place].rows();
    const std::span<const std::int64_t> examples = chunk.shard_examples(index);
    const GuardTally tally(
        contestant.timed, encoder.config().layers, std::ssize(examples),
        contestant.cascade ? GuardTally::Outputs::kept : GuardTally::Outputs::forgotten);
    encoder.forward(batches[index].input(), tally, out, arenas[worker]);
    if (contestant.cascade)
      reruns[place] = contestant.cascade->rerun(dataset, examples, tally, out, arenas[worker]);
  });
  add_turn({watch.seconds(), contestant.attention_so_far() - attention_before,
            std::accumulate(reruns.begin(), reruns.end(), std::int64_t{0})},
           *workers.ranks, contestant);
  contestant.answered += chunk.size();
  for (std::int64_t place = 0; place < share.own(); ++place)
    keep_predictions(dataset, chunk.shard_examples(share.item(place)), logits[place].rows(),
                     contestant);
  if (share.is_shared()) exchange_predictions(dataset, chunk, share, contestant);
}

/// Seconds for which one method runs over a chunk; its predictions are not kept.
double untimed_run(const infer::Encoder& encoder, const Chunk& chunk,
                   const distributed::Workers& workers, std::vector<tensor::Arena>& arenas,
                   const attention::AttentionOperator& attention) {
  const base::Stopwatch watch;
  const distributed::ItemShare share(*workers.ranks, std::ssize(chunk.batches()));
  base::parallel_for(share.own(), workers.threads, [&](std::int64_t place, int worker) {
    const config::ModelInput<float> input = chunk.batches()[share.item(place)].input();
    tensor::Tensor<float> logits({encoder.logit_rows(input), encoder.config().classes});
    encoder.forward(input, attention, logits.rows(), arenas[worker]);
  });
  return watch.seconds();
}

/// Runs every method on the longest examples, so that none pays for cold caches and memory that is
/// allocated, and returns the examples of a turn: whole shards, which take the slowest method about
/// kTurnSeconds.
std::int64_t warm_up(const infer::Encoder& encoder, const data::Dataset& dataset,
                     std::span<const std::int64_t> order, const distributed::Workers& workers,
                     std::vector<tensor::Arena>& arenas,
                     const std::vector<MethodContestant*>& contestants) {
  const std::int64_t shards = std::max(workers.threads, 1) * workers.ranks->size();
  const auto count = static_cast<std::size_t>(std::min(shards * kShard, dataset.size()));
  const Chunk chunk(dataset, order.last(count), kShard);
  double slowest = 0;
  for (int time = 0; time < 2; ++time) {
    slowest = 0;
    for (const MethodContestant* contestant : contestants)
      slowest =
          std::max(slowest, untimed_run(encoder, chunk, workers, arenas, *contestant->attention));
  }
  slowest = std::ranges::max(distributed::gather_values(*workers.ranks, slowest));
  const double turns = kTurnSeconds / std::max(slowest, 1e-6);
  const auto wanted = static_cast<std::int64_t>(std::min(turns, 1e6)) * shards;
  return kShard * std::clamp(wanted, shards, std::max(kMostShards, shards));
}

void estimate_all(const std::vector<MethodContestant*>& contestants,
                  const std::vector<std::int64_t>& examples) {
  std::vector<std::vector<double>> seconds, attention_seconds;
  for (const MethodContestant* contestant : contestants) {
    seconds.push_back(contestant->seconds);
    attention_seconds.push_back(contestant->attention_seconds);
  }
  const std::vector<TimeEstimate> times = estimate_times(seconds, examples);
  const std::vector<TimeEstimate> attention_times = estimate_times(attention_seconds, examples);
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    contestants[i]->time = times[i];
    contestants[i]->attention_time = attention_times[i];
  }
}

}  // namespace

double MethodContestant::attention_so_far() const {
  return timed.seconds() + (cascade ? cascade->attention_seconds() : 0);
}

MethodContestant::MethodContestant(const Method& method_,
                                   std::unique_ptr<attention::AttentionOperator> attention_,
                                   std::size_t labels)
    : method(method_),
      attention(std::move(attention_)),
      timed(*attention),
      predictions(labels, data::kNotScored) {}

Chunk::Chunk(const data::Dataset& dataset, std::span<const std::int64_t> examples,
             std::int64_t shard)
    : examples_(examples), shard_(shard) {
  batches_.resize(static_cast<std::size_t>((size() + shard - 1) / shard));
  for (std::int64_t index = 0; index < std::ssize(batches_); ++index)
    batches_[static_cast<std::size_t>(index)].fill(dataset, shard_examples(index));
}

std::span<const std::int64_t> Chunk::shard_examples(std::int64_t index) const {
  const std::int64_t begin = index * shard_;
  return examples_.subspan(static_cast<std::size_t>(begin),
                           static_cast<std::size_t>(std::min(shard_, size() - begin)));
}

std::vector<std::size_t> turn_order(std::int64_t turn, std::size_t count) {
  std::vector<std::size_t> order(count);
  for (std::size_t place = 0; place < count; ++place)
    order[place] = (place + static_cast<std::size_t>(turn / 2)) % count;
  if (turn % 2 == 1) std::ranges::reverse(order);
  return order;
}

void take_turns(const infer::Encoder& encoder, const data::Dataset& dataset,
                const distributed::Workers& workers, std::vector<tensor::Arena>& arenas,
                const std::vector<MethodContestant*>& contestants,
                const ProgressCallback& progress) {
  const std::vector<std::int64_t> order = data::length_order(dataset);
  const std::int64_t turn = warm_up(encoder, dataset, order, workers, arenas, contestants);
  const std::int64_t chunks = (dataset.size() + turn - 1) / turn;
  const std::int64_t passes = (kLeastTurns + chunks - 1) / chunks;
  const std::int64_t parts = passes * chunks * std::ssize(contestants);
  std::int64_t done = 0;
  std::vector<std::int64_t> examples;  // of each turn
  for (std::int64_t pass = 0; pass < passes; ++pass)
    // The longest first: an arena then gets its memory at once, not anew for every longer batch.
    for (std::int64_t first = (chunks - 1) * turn; first >= 0; first -= turn) {
      const Chunk chunk(
          dataset, std::span(order).subspan(first, std::min(turn, dataset.size() - first)), kShard);
      for (const std::size_t place : turn_order(std::ssize(examples), contestants.size())) {
        classify(encoder, dataset, chunk, workers, arenas, *contestants[place]);
        if (progress) progress(++done, parts);
      }
      examples.push_back(chunk.size());
    }
  estimate_all(contestants, examples);
}

}  // namespace asap::evaluate
