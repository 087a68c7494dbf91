#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/json.h"

namespace asap {

/// What an EpochSampler goes through, and how.
struct SamplerConfig {
  std::int64_t examples = 0;
  std::int64_t batch = 64;
  std::uint64_t seed = 1;
  bool keep_last_partial =
      false;  ///< the last batch of an epoch may be smaller, instead of dropped
};

/// The order of the examples of one epoch: a permutation of 0..examples-1 that is a pure function
/// of its arguments.
std::vector<std::int64_t> epoch_order(std::int64_t examples, std::uint64_t seed,
                                      std::uint32_t epoch);

/// Batches of example indices, epoch after epoch, each epoch in a new order. Its position is two
/// numbers, so that a resumed run goes on with the batch that would have come next.
class EpochSampler {
 public:
  /// UsageError when no batch can be formed.
  explicit EpochSampler(const SamplerConfig& config);

  /// Indices of the next batch; valid until the next call.
  std::span<const std::int64_t> next();

  /// Epoch of the batch that next() gave last (0 before the first).
  std::uint32_t epoch() const { return epoch_; }
  std::int64_t batches_per_epoch() const;

  /// Position as JSON, for checkpoints.
  Json position() const;
  /// Goes to a position saved by a sampler of the same configuration; DataError names `source` when
  /// it is damaged or of another one.
  void restore(const Json& position, const std::string& source);

 private:
  SamplerConfig config_;
  std::uint32_t epoch_ = 0;
  std::int64_t batch_index_ = 0;  ///< within the epoch
  std::vector<std::int64_t> order_;
};

}  // namespace asap
