#include "evaluate/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel.h"
#include "data/batch.h"
#include "evaluate/timed_attention.h"

namespace asap {
namespace {

constexpr std::int64_t kShard = 16;         // examples one thread takes at a time
constexpr std::int64_t kChunk = 512;        // examples after which it is the next method's turn
constexpr std::int64_t kFidelityShard = 4;  // plans of all methods side by side need more room

/// A method at work: its attention, its predictions so far, and the time they took.
struct Contestant {
  std::string name;
  std::unique_ptr<AttentionOperator> attention;
  TimedAttention timed;
  std::vector<std::int32_t> predictions = {};
  double seconds = 0;

  Contestant(std::string name_, std::unique_ptr<AttentionOperator> attention_)
      : name(std::move(name_)), attention(std::move(attention_)), timed(*attention) {}
};

/// Consecutive normalised examples.
struct Chunk {
  std::int64_t first = 0;
  Tensor<float> images;              // [B, pixels]
  std::vector<std::int32_t> labels;  // [B]

  Chunk(const Dataset& dataset, std::int64_t first_, std::int64_t count)
      : first(first_), images(Shape{count, dataset.image_size()}), labels(count) {
    std::vector<std::int64_t> indices(count);
    std::iota(indices.begin(), indices.end(), first);
    fill_batch(dataset, indices, images.rows(), labels);
  }
  std::int64_t size() const { return images.shape()[0]; }
  MatrixView<const float> rows(std::int64_t begin, std::int64_t count) const {
    return images.rows().block(begin, 0, count, images.shape()[1]);
  }
};

/// Calls body(begin, count, worker) for the shards of [0, examples).
template <class Body>
void for_each_shard(std::int64_t examples, std::int64_t shard, int threads, const Body& body) {
  parallel_for((examples + shard - 1) / shard, threads, [&](std::int64_t index, int worker) {
    const std::int64_t begin = index * shard;
    body(begin, std::min(shard, examples - begin), worker);
  });
}

std::int32_t predicted_class(VectorView<const float> logits, const std::string& method) {
  if (!std::ranges::all_of(logits, [](float value) { return std::isfinite(value); }))
    throw NumericalError("method '" + method + "': the network's outputs are not finite",
                         "the trained weights may hold NaN; see metrics.jsonl of the run");
  return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

/// Runs one method over a chunk and adds to its predictions and times.
void classify(const Encoder& encoder, const Chunk& chunk, int threads, std::vector<Arena>& arenas,
              Contestant& contestant) {
  Tensor<float> logits(Shape{chunk.size(), encoder.config().classes});
  const Stopwatch watch;
  for_each_shard(
      chunk.size(), kShard, threads, [&](std::int64_t begin, std::int64_t count, int worker) {
        encoder.forward(chunk.rows(begin, count), contestant.timed,
                        logits.rows().block(begin, 0, count, logits.shape()[1]), arenas[worker]);
      });
  contestant.seconds += watch.seconds();
  for (std::int64_t i = 0; i < chunk.size(); ++i)
    contestant.predictions.push_back(predicted_class(logits.rows().row(i), contestant.name));
}

/// Sums of fidelity over the first examples, shard by shard in order whatever the number of
/// threads.
FidelityTable measure_fidelity(const Encoder& encoder, const AttentionOperator& teacher,
                               const std::vector<Contestant*>& contestants, const Chunk& chunk,
                               int threads, std::vector<Arena>& arenas) {
  std::vector<const AttentionOperator*> methods;
  for (const Contestant* contestant : contestants) methods.push_back(contestant->attention.get());
  const ModelConfig& config = encoder.config();
  const std::int64_t shards = (chunk.size() + kFidelityShard - 1) / kFidelityShard;
  std::vector<FidelityTable> parts(shards);
  for_each_shard(chunk.size(), kFidelityShard, threads,
                 [&](std::int64_t begin, std::int64_t count, int worker) {
                   const FidelityProbe probe(teacher, methods, config.layers, config.heads);
                   Tensor<float> logits(Shape{count, config.classes});
                   encoder.forward(chunk.rows(begin, count), probe, logits.rows(), arenas[worker]);
                   parts[begin / kFidelityShard] = probe.sums();
                 });
  const FidelityProbe zero(teacher, methods, config.layers, config.heads);
  FidelityTable total = zero.sums();
  for (const FidelityTable& part : parts) add_fidelity(part, total);
  scale_fidelity(1.0 / static_cast<double>(chunk.size()), total);
  return total;
}

double fraction_equal(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  const auto equal = std::inner_product(a.begin(), a.end(), b.begin(), std::int64_t{0},
                                        std::plus<>(), std::equal_to<>());
  return static_cast<double>(equal) / static_cast<double>(a.size());
}

MethodResult result_of(const Contestant& contestant, const Dataset& dataset,
                       std::span<const std::int32_t> teacher_predictions,
                       std::vector<std::vector<HeadFidelity>> heads) {
  const auto examples = static_cast<double>(dataset.size());
  MethodResult result;
  result.name = contestant.name;
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
  return result;
}

void check_data_fits(const Encoder& encoder, const Dataset& dataset) {
  const ModelConfig& config = encoder.config();
  if (dataset.size() == 0) throw UsageError("the test set is empty");
  if (dataset.image_size() != config.image_size() || dataset.classes() > config.classes)
    throw UsageError("'" + dataset.name + "' does not fit the model: images of " +
                         std::to_string(dataset.image_size()) + " values and " +
                         std::to_string(dataset.classes()) + " classes, the model takes " +
                         std::to_string(config.image_size()) + " and tells " +
                         std::to_string(config.classes) + " apart",
                     "evaluate on the data the model was trained for");
}

}  // namespace

Comparison compare_methods(const Encoder& encoder, const CompiledHeads* compiled,
                           const Dataset& dataset, const ComparisonSettings& settings,
                           const ProgressCallback& progress) {
  check_data_fits(encoder, dataset);
  // The teacher always runs, because agreement is measured against it.
  Contestant teacher("teacher", encoder.teacher());
  std::vector<std::unique_ptr<Contestant>> others;
  std::vector<Contestant*> contestants;  // in the order asked for
  for (const Method& method : settings.methods) {
    if (method.kind == MethodKind::teacher) {
      contestants.push_back(&teacher);
      continue;
    }
    others.push_back(
        std::make_unique<Contestant>(method.name(), make_attention(method, encoder, compiled)));
    contestants.push_back(others.back().get());
  }
  std::vector<Contestant*> all = contestants;
  if (std::ranges::find(all, &teacher) == all.end()) all.push_back(&teacher);

  const std::int64_t chunks = (dataset.size() + kChunk - 1) / kChunk;
  const std::int64_t parts = chunks * static_cast<std::int64_t>(all.size());
  std::vector<Arena> arenas(settings.threads);
  std::int64_t done = 0;
  for (std::int64_t first = 0; first < dataset.size(); first += kChunk) {
    const Chunk chunk(dataset, first, std::min(kChunk, dataset.size() - first));
    for (Contestant* contestant : all) {
      classify(encoder, chunk, settings.threads, arenas, *contestant);
      if (progress) progress(++done, parts);
    }
  }

  const Chunk sample(dataset, 0, std::min(settings.fidelity_examples, dataset.size()));
  FidelityTable fidelity =
      measure_fidelity(encoder, *teacher.attention, contestants, sample, settings.threads, arenas);
  Comparison comparison;
  comparison.examples = dataset.size();
  comparison.fidelity_examples = sample.size();
  comparison.threads = settings.threads;
  for (std::size_t i = 0; i < contestants.size(); ++i)
    comparison.methods.push_back(
        result_of(*contestants[i], dataset, teacher.predictions, std::move(fidelity[i])));
  return comparison;
}

}  // namespace asap
