#include "evaluate/compare/equal_latency.h"

#include <algorithm>

#include "base/error.h"
#include "base/timing.h"
#include "data/batch.h"
#include "evaluate/compare/timed_attention.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kExamples = 48;  // measured on, spread over the data set
constexpr std::int64_t kBatch = 16;
constexpr int kTurns = 7;

/// Some examples of every length, in batches as compare_methods makes them.
std::vector<data::Batch> sample_batches(const data::Dataset& dataset) {
  const std::int64_t count = std::min(kExamples, dataset.size());
  const std::vector<std::int64_t> order = data::length_order(dataset);
  std::vector<std::int64_t> examples;
  for (std::int64_t i = 0; i < count; ++i)
    examples.push_back(order[static_cast<std::size_t>(i * dataset.size() / count)]);
  std::vector<data::Batch> batches;
  for (std::int64_t first = 0; first < count; first += kBatch)
    batches.emplace_back().fill(
        dataset,
        std::span(examples).subspan(static_cast<std::size_t>(first),
                                    static_cast<std::size_t>(std::min(kBatch, count - first))));
  return batches;
}

/// Runs the network over the sample and measures the time in attention.
class Race {
 public:
  Race(const infer::Encoder& encoder, const data::Dataset& dataset)
      : encoder_(encoder), batches_(sample_batches(dataset)) {}

  /// Whether `candidate` is not slower than `reference`: medians of turns taken alternately.
  bool not_slower(const attention::AttentionOperator& candidate,
                  const attention::AttentionOperator& reference) {
    std::vector<double> candidates, references;
    for (int turn = 0; turn < kTurns; ++turn) {
      candidates.push_back(seconds(candidate));
      references.push_back(seconds(reference));
    }
    return base::median(std::move(candidates)) <= base::median(std::move(references));
  }

 private:
  double seconds(const attention::AttentionOperator& attention) {
    const TimedAttention timed(attention);
    for (const data::Batch& batch : batches_) {
      tensor::Tensor<float> logits({encoder_.logit_rows(batch.input()), encoder_.config().classes});
      encoder_.forward(batch.input(), timed, logits.rows(), arena_);
    }
    return timed.seconds();
  }

  const infer::Encoder& encoder_;
  std::vector<data::Batch> batches_;
  tensor::Arena arena_;
};

}  // namespace

std::optional<int> largest_affordable(int most, const std::function<bool(int)>& affordable) {
  int below = -1, above = most + 1;  // affordable, or not looked at; not affordable
  while (above - below > 1) {
    const int middle = below + (above - below) / 2;
    (affordable(middle) ? below : above) = middle;
  }
  return below < 0 ? std::nullopt : std::optional(below);
}

std::optional<EqualLatency> find_equal_latency(const std::vector<Method>& methods,
                                               const infer::Encoder& encoder,
                                               const CompiledHeads* compiled,
                                               int teacher_iterations,
                                               const data::Dataset& dataset) {
  if (std::ranges::find(methods, MethodKind::sinkhorn_equal, &Method::kind) == methods.end())
    return std::nullopt;
  if (!compiled)
    throw base::UsageError(
        "`methods`: 'sinkhorn:equal' needs a compiled operator, whose latency it equals",
        "name the folder that asap-compile wrote");
  const attention::CompiledOperator reference(*compiled);
  Race race(encoder, dataset);
  const auto affordable = [&](int iterations) {
    return race.not_slower(*encoder.sinkhorn(iterations), reference);
  };
  const int found = largest_affordable(teacher_iterations, affordable).value_or(0);
  EqualLatency equal{{}, teacher_iterations};
  for (int k = std::max(found - 1, 0); k <= std::min(found + 1, teacher_iterations); ++k)
    equal.candidates.push_back(k);
  return equal;
}

EqualChoice choose_equal_latency(const EqualLatency& equal, std::span<const double> seconds,
                                 double compiled_seconds) {
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < seconds.size(); ++i)
    if (seconds[i] <= compiled_seconds) chosen = i;
  const int iterations = equal.candidates[chosen];
  return {iterations, iterations == equal.most};
}

}  // namespace asap::evaluate
