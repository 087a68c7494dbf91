#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "data/batch.h"
#include "distributed/shared_items.h"
#include "evaluate/compare/cascade.h"
#include "evaluate/compare/method.h"
#include "evaluate/compare/time_estimate.h"
#include "evaluate/compare/timed_attention.h"
#include "infer/encoder.h"

namespace asap::evaluate {

/// Called as work goes on with the parts finished and their number.
using ProgressCallback = std::function<void(std::int64_t done, std::int64_t total)>;

/// A method in a comparison: its attention, its predictions, and the time they took.
struct MethodContestant {
  Method method;
  std::unique_ptr<attention::AttentionOperator> attention;
  TimedAttention timed;
  /// Where the data set has labels; data::kNotScored as there.
  std::vector<std::int32_t> predictions;
  std::vector<double> seconds = {};            ///< of each turn, on the clock
  std::vector<double> attention_seconds = {};  ///< of each turn, processor time in attention
  TimeEstimate time = {}, attention_time = {};
  std::unique_ptr<Cascade> cascade = {};  ///< of a method that has one
  std::int64_t reruns = 0, answered = 0;  ///< of a cascade in all turns: examples

  MethodContestant(const Method& method_, std::unique_ptr<attention::AttentionOperator> attention_,
                   std::size_t labels);
  /// Processor time in attention, reruns included.
  double attention_so_far() const;
};

/// Examples in batches of `shard`, each padded by itself.
class Chunk {
 public:
  Chunk(const data::Dataset& dataset, std::span<const std::int64_t> examples, std::int64_t shard);
  std::int64_t size() const { return std::ssize(examples_); }
  const std::vector<data::Batch>& batches() const { return batches_; }
  /// The examples of one batch.
  std::span<const std::int64_t> shard_examples(std::int64_t index) const;

 private:
  std::span<const std::int64_t> examples_;
  std::int64_t shard_;
  std::vector<data::Batch> batches_;
};

/// Places of `count` methods in turn `turn`: every other turn goes backwards through the same
/// order, so that a machine that gets slower or faster favours none, and every two turns begin with
/// another method.
std::vector<std::size_t> turn_order(std::int64_t turn, std::size_t count);

/// Runs all methods over the data set and fills in predictions and times. After a warm-up they take
/// turns of some 20 ms; a small data set is run through several times. Times of a cascade include
/// its reruns. A turn takes as long as the slowest of the ranks, among which its batches are
/// distributed. NumericalError when a method gives logits that are not finite.
void take_turns(const infer::Encoder& encoder, const data::Dataset& dataset,
                const distributed::Workers& workers, std::vector<tensor::Arena>& arenas,
                const std::vector<MethodContestant*>& contestants,
                const ProgressCallback& progress);

}  // namespace asap::evaluate
