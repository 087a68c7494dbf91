#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/json.h"

namespace asap::data {

/// What an EpochSampler goes through, and how.
struct SamplerConfig {
  std::int64_t examples = 0;
  std::int64_t batch = 64;
  std::uint64_t seed = 1;
  bool keep_last_partial =
      false;                     ///< the last batch of an epoch may be smaller, instead of dropped
  std::int64_t length_pool = 0;  ///< whole batches sorted by length together; 0, 1: none
};

/// The order of the examples of one epoch: a permutation of 0..examples-1 that is a pure function
/// of its arguments.
std::vector<std::int64_t> epoch_order(std::int64_t examples, std::uint64_t seed,
                                      std::uint32_t epoch);

/// Sorts the examples of every `pool` whole batches of an order by length (of equal ones the first
/// first), so that those of a batch need little padding, and puts the batches of a pool in random
/// order. Examples beyond the last whole batch stay, so that it is no matter of length which are
/// dropped. A pure function of its arguments.
void sort_in_pools(std::span<std::int64_t> order, const SamplerConfig& config,
                   std::span<const std::int64_t> lengths, std::uint32_t epoch);

/// Batches of example indices, epoch after epoch, each epoch in a new order. Its position is two
/// numbers, so that a resumed run goes on with the batch that would have come next.
class EpochSampler {
 public:
  /// UsageError when no batch can be formed. `lengths` of the examples are needed for pools.
  explicit EpochSampler(const SamplerConfig& config, std::vector<std::int64_t> lengths = {});

  /// Indices of the next batch; valid until the next call.
  std::span<const std::int64_t> next();

  /// Epoch of the batch that next() gave last (0 before the first).
  std::uint32_t epoch() const { return epoch_; }
  std::int64_t batches_per_epoch() const;

  /// Position as JSON, for checkpoints.
  io::Json position() const;
  /// Goes to a position saved by a sampler of the same configuration; DataError names `source` when
  /// it is damaged or of another one.
  void restore(const io::Json& position, const std::string& source);

 private:
  SamplerConfig config_;
  std::vector<std::int64_t> lengths_;
  std::uint32_t epoch_ = 0;
  std::int64_t batch_index_ = 0;  ///< within the epoch
  std::vector<std::int64_t> order_;
};

}  // namespace asap::data
