#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/json.h"

namespace asap::data {

/// The examples of an EpochSampler and how it forms batches.
struct SamplerConfig {
  std::int64_t examples = 0;
  std::int64_t batch = 64;
  std::uint64_t seed = 1;
  bool keep_last_partial =
      false;                     ///< the last batch of an epoch may be smaller, instead of dropped
  std::int64_t length_pool = 0;  ///< whole batches sorted by length together; 0, 1: no sorting
};

/// The order of the examples of one epoch: a permutation of 0..examples-1 that is a pure function
/// of its arguments.
std::vector<std::int64_t> epoch_order(std::int64_t examples, std::uint64_t seed,
                                      std::uint32_t epoch);

/// Sorts the examples of every `pool` whole batches of an order by length (stably), so that a batch
/// needs little padding, and shuffles the batches of a pool. Examples beyond the last whole batch
/// stay in place, so dropping them does not depend on length. A pure function of its arguments.
void sort_in_pools(std::span<std::int64_t> order, const SamplerConfig& config,
                   std::span<const std::int64_t> lengths, std::uint32_t epoch);

/// Batches of example indices, epoch after epoch, each epoch in a new order. Its position is two
/// numbers, with which a resumed run continues at the next batch.
class EpochSampler {
 public:
  /// `lengths` of the examples are needed only for pools. UsageError when no batch can be formed.
  explicit EpochSampler(const SamplerConfig& config, std::vector<std::int64_t> lengths = {});

  /// Indices of the next batch; valid until the next call.
  std::span<const std::int64_t> next();

  /// Epoch of the batch that next() gave last (0 before the first).
  std::uint32_t epoch() const { return epoch_; }
  std::int64_t batches_per_epoch() const;

  /// Position as JSON, for checkpoints.
  io::Json position() const;
  /// Moves to a position saved by a sampler of the same configuration. DataError names `source`
  /// when the position is damaged or belongs to another configuration.
  void restore(const io::Json& position, const std::string& source);

 private:
  SamplerConfig config_;
  std::vector<std::int64_t> lengths_;
  std::uint32_t epoch_ = 0;
  std::int64_t batch_index_ = 0;  ///< within the epoch
  std::vector<std::int64_t> order_;
};

}  // namespace asap::data
