#include "evaluate/compare/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel.h"
#include "data/batch.h"
#include "data/model_fit.h"
#include "evaluate/compare/timed_attention.h"
#include "infer/scorer.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kShard = 16;         // examples one thread takes at a time
constexpr std::int64_t kMostShards = 32;    // that a method classifies before the next one does
constexpr double kTurnSeconds = 0.05;       // about so long that takes
constexpr std::int64_t kLeastTurns = 8;     // fewest of every method; small data sets run again
constexpr std::int64_t kFidelityShard = 4;  // plans of all methods side by side need more room

/// A method in the comparison: its attention, its predictions so far, and the time they took.
struct MethodContestant {
  Method method;
  std::unique_ptr<attention::AttentionOperator> attention;
  TimedAttention timed;
  std::vector<std::int32_t> predictions;  // where the data set has labels; kNotScored as there
  double seconds = 0;
  std::int64_t examples = 0;  // classified in these seconds

  MethodContestant(const Method& method_, std::unique_ptr<attention::AttentionOperator> attention_,
                   std::size_t labels)
      : method(method_),
        attention(std::move(attention_)),
        timed(*attention),
        predictions(labels, data::kNotScored) {}
};

/// Examples in batches of `shard`, each padded by itself.
class Chunk {
 public:
  Chunk(const data::Dataset& dataset, std::span<const std::int64_t> examples, std::int64_t shard)
      : examples_(examples), shard_(shard) {
    batches_.resize(static_cast<std::size_t>((size() + shard - 1) / shard));
    for (std::int64_t index = 0; index < std::ssize(batches_); ++index)
      batches_[static_cast<std::size_t>(index)].fill(dataset, shard_examples(index));
  }
  std::int64_t size() const { return std::ssize(examples_); }
  const std::vector<data::Batch>& batches() const { return batches_; }
  /// The examples of one batch.
  std::span<const std::int64_t> shard_examples(std::int64_t index) const {
    const std::int64_t begin = index * shard_;
    return examples_.subspan(static_cast<std::size_t>(begin),
                             static_cast<std::size_t>(std::min(shard_, size() - begin)));
  }

 private:
  std::span<const std::int64_t> examples_;
  std::int64_t shard_;
  std::vector<data::Batch> batches_;
};

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

/// Runs one method over a chunk and adds to its predictions and times.
void classify(const infer::Encoder& encoder, const data::Dataset& dataset, const Chunk& chunk,
              int threads, std::vector<tensor::Arena>& arenas, MethodContestant& contestant) {
  const std::vector<data::Batch>& batches = chunk.batches();
  std::vector<tensor::Tensor<float>> logits;
  for (const data::Batch& batch : batches)
    logits.emplace_back(tensor::Shape{encoder.logit_rows(batch.input()), encoder.config().classes});
  const base::Stopwatch watch;
  base::parallel_for(std::ssize(batches), threads, [&](std::int64_t place, int worker) {
    const std::int64_t index = std::ssize(batches) - 1 - place;  // the longest first
    encoder.forward(batches[index].input(), contestant.timed, logits[index].rows(), arenas[worker]);
  });
  contestant.seconds += watch.seconds();
  contestant.examples += chunk.size();
  for (std::int64_t index = 0; index < std::ssize(batches); ++index)
    keep_predictions(dataset, chunk.shard_examples(index), logits[index].rows(), contestant);
}

/// Seconds for which one method runs over a chunk; its predictions are not kept.
double untimed_run(const infer::Encoder& encoder, const Chunk& chunk, int threads,
                   std::vector<tensor::Arena>& arenas,
                   const attention::AttentionOperator& attention) {
  const base::Stopwatch watch;
  base::parallel_for(std::ssize(chunk.batches()), threads, [&](std::int64_t index, int worker) {
    const config::ModelInput<float> input = chunk.batches()[index].input();
    tensor::Tensor<float> logits({encoder.logit_rows(input), encoder.config().classes});
    encoder.forward(input, attention, logits.rows(), arenas[worker]);
  });
  return watch.seconds();
}

/// Runs every method on the longest examples, so that none pays for cold caches and memory that is
/// allocated, and returns the examples of a turn: whole shards, which take the slowest method about
/// kTurnSeconds.
std::int64_t warm_up(const infer::Encoder& encoder, const data::Dataset& dataset,
                     std::span<const std::int64_t> order, int threads,
                     std::vector<tensor::Arena>& arenas,
                     const std::vector<MethodContestant*>& contestants) {
  const std::int64_t shards = std::max(threads, 1);
  const auto count = static_cast<std::size_t>(std::min(shards * kShard, dataset.size()));
  const Chunk chunk(dataset, order.last(count), kShard);
  double slowest = 0;
  for (int time = 0; time < 2; ++time) {
    slowest = 0;
    for (const MethodContestant* contestant : contestants)
      slowest =
          std::max(slowest, untimed_run(encoder, chunk, threads, arenas, *contestant->attention));
  }
  const double turns = kTurnSeconds / std::max(slowest, 1e-6);
  const auto wanted = static_cast<std::int64_t>(std::min(turns, 1e6)) * shards;
  return kShard * std::clamp(wanted, shards, std::max(kMostShards, shards));
}

/// Runs all methods over the data set, turn by turn: one after the other over a few examples, each
/// turn beginning with another one.
void take_turns(const infer::Encoder& encoder, const data::Dataset& dataset, int threads,
                std::vector<tensor::Arena>& arenas, std::vector<MethodContestant*> contestants,
                const ProgressCallback& progress) {
  const std::vector<std::int64_t> order = data::length_order(dataset);
  const std::int64_t turn = warm_up(encoder, dataset, order, threads, arenas, contestants);
  const std::int64_t chunks = (dataset.size() + turn - 1) / turn;
  const std::int64_t passes = (kLeastTurns + chunks - 1) / chunks;
  const std::int64_t parts = passes * chunks * std::ssize(contestants);
  std::int64_t done = 0;
  for (std::int64_t pass = 0; pass < passes; ++pass)
    // The longest first: an arena then gets its memory at once, not anew for every longer batch.
    for (std::int64_t first = (chunks - 1) * turn; first >= 0; first -= turn) {
      const Chunk chunk(
          dataset, std::span(order).subspan(first, std::min(turn, dataset.size() - first)), kShard);
      for (MethodContestant* contestant : contestants) {
        classify(encoder, dataset, chunk, threads, arenas, *contestant);
        if (progress) progress(++done, parts);
      }
      std::rotate(contestants.begin(), contestants.begin() + 1, contestants.end());
    }
}

/// Sums of fidelity over the first examples, shard by shard in order for any number of
/// threads.
FidelityByMethod measure_fidelity(const infer::Encoder& encoder,
                                  const attention::AttentionOperator& teacher,
                                  const std::vector<MethodContestant*>& contestants,
                                  const Chunk& chunk, int threads,
                                  std::vector<tensor::Arena>& arenas) {
  std::vector<const attention::AttentionOperator*> methods;
  for (const MethodContestant* contestant : contestants)
    methods.push_back(contestant->attention.get());
  const config::ModelConfig& config = encoder.config();
  const std::vector<data::Batch>& batches = chunk.batches();
  std::vector<FidelityByMethod> parts(batches.size());
  base::parallel_for(std::ssize(batches), threads, [&](std::int64_t index, int worker) {
    const FidelityProbe probe(teacher, methods, config.layers, config.heads);
    const config::ModelInput<float> input = batches[index].input();
    tensor::Tensor<float> logits(tensor::Shape{encoder.logit_rows(input), config.classes});
    encoder.forward(input, probe, logits.rows(), arenas[worker]);
    parts[index] = probe.sums();
  });
  const FidelityProbe zero(teacher, methods, config.layers, config.heads);
  FidelityByMethod total = zero.sums();
  for (const FidelityByMethod& part : parts) add_fidelity(part, total);
  scale_fidelity(1.0 / static_cast<double>(chunk.size()), total);
  return total;
}

/// Of the labels that are scored.
double fraction_equal(std::span<const std::int32_t> predictions,
                      std::span<const std::int32_t> others) {
  std::int64_t equal = 0, scored = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (predictions[i] == data::kNotScored) continue;
    ++scored;
    if (predictions[i] == others[i]) ++equal;
  }
  return static_cast<double>(equal) / static_cast<double>(std::max<std::int64_t>(scored, 1));
}

MethodResult result_of(const MethodContestant& contestant, const data::Dataset& dataset,
                       std::span<const std::int32_t> teacher_predictions,
                       std::vector<std::vector<HeadFidelity>> heads) {
  const auto examples = static_cast<double>(contestant.examples);
  MethodResult result;
  result.name = contestant.method.name();
  result.equal_latency = contestant.method.equal_latency;
  result.capped = contestant.method.capped;
  result.accuracy = fraction_equal(contestant.predictions, dataset.labels);
  result.agreement = fraction_equal(contestant.predictions, teacher_predictions);
  result.examples_per_second = examples / contestant.seconds;
  result.attention_milliseconds = 1e3 * contestant.timed.seconds() / examples;
  double count = 0;
  for (const auto& layer : heads)
    for (const HeadFidelity& head : layer) {
      result.plan_l1 += head.plan_l1;
      result.column_error += head.column_error;
      ++count;
    }
  result.plan_l1 /= count;
  result.column_error /= count;
  result.heads = std::move(heads);
  result.predictions = contestant.predictions;
  return result;
}

/// Agreement of a compiled method with the Sinkhorn attention it imitates in the same layers, if
/// that is among the contestants.
std::optional<double> imitated_agreement(const MethodContestant& contestant, int iterations,
                                         const std::vector<MethodContestant*>& contestants) {
  if (!contestant.method.is_compiled()) return std::nullopt;
  const std::string imitated =
      Method{MethodKind::sinkhorn, iterations, contestant.method.layers}.name();
  const auto found = std::ranges::find(
      contestants, imitated, [](const MethodContestant* other) { return other->method.name(); });
  if (found == contestants.end()) return std::nullopt;
  return fraction_equal(contestant.predictions, (*found)->predictions);
}

}  // namespace

const MethodResult* Comparison::find(std::string_view name) const {
  const auto found = std::ranges::find(methods, name, &MethodResult::name);
  return found == methods.end() ? nullptr : &*found;
}

bool Comparison::shows_imitation() const {
  return std::ranges::any_of(
      methods, [](const MethodResult& method) { return method.imitated_agreement.has_value(); });
}

Comparison compare_methods(const infer::Encoder& encoder, const CompiledHeads* compiled,
                           const data::Dataset& dataset, const ComparisonSettings& settings,
                           const ProgressCallback& progress) {
  if (dataset.size() == 0) throw base::UsageError("the test set is empty");
  data::fit_model_to_data(encoder.config(), dataset, "the trained model");
  // The teacher always runs, because agreement is measured against it.
  MethodContestant teacher(Method{}, encoder.teacher(), dataset.labels.size());
  std::vector<std::unique_ptr<MethodContestant>> others;
  std::vector<MethodContestant*> contestants;  // in the order requested
  for (const Method& method : settings.methods) {
    if (method.kind == MethodKind::teacher) {
      contestants.push_back(&teacher);
      continue;
    }
    others.push_back(std::make_unique<MethodContestant>(
        method, make_attention(method, encoder, compiled), dataset.labels.size()));
    contestants.push_back(others.back().get());
  }
  std::vector<MethodContestant*> all = contestants;
  if (std::ranges::find(all, &teacher) == all.end()) all.push_back(&teacher);

  std::vector<tensor::Arena> arenas(settings.threads);
  take_turns(encoder, dataset, settings.threads, arenas, all, progress);

  std::vector<std::int64_t> sampled(std::min(settings.fidelity_examples, dataset.size()));
  std::iota(sampled.begin(), sampled.end(), std::int64_t{0});
  const Chunk sample(dataset, sampled, kFidelityShard);
  FidelityByMethod fidelity =
      measure_fidelity(encoder, *teacher.attention, contestants, sample, settings.threads, arenas);
  Comparison comparison;
  comparison.examples = dataset.size();
  comparison.examples_name = data::examples_name(dataset.kind);
  comparison.fidelity_examples = sample.size();
  comparison.threads = settings.threads;
  comparison.teacher_predictions = teacher.predictions;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    comparison.methods.push_back(
        result_of(*contestants[i], dataset, teacher.predictions, std::move(fidelity[i])));
    if (settings.imitated_iterations)
      comparison.methods.back().imitated_agreement =
          imitated_agreement(*contestants[i], *settings.imitated_iterations, contestants);
  }
  return comparison;
}

}  // namespace asap::evaluate
