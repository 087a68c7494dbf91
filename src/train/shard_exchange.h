#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "distributed/ranks.h"

namespace asap::train {

/// The job a training is part of.
struct Teamwork {
  distributed::Ranks* ranks = &distributed::single_rank();
  /// With SumOrder::any the result depends on the number of ranks.
  distributed::SumOrder order = distributed::SumOrder::fixed;
};

/// Some of the shards of a step: `first`, `first` + 1, ...
struct ShardRange {
  std::int64_t first = 0, count = 0;
};

/// The shards, of `count`, that a rank computes. UsageError when a rank would have none.
ShardRange own_shards(const distributed::Ranks& ranks, std::int64_t count);

/// How much of the gradients is final while threads compute one each for several shards.
class FinalParts {
 public:
  /// Of `shards` gradients of `size` elements nothing is final.
  FinalParts(std::int64_t shards, std::size_t size) : first_(static_cast<std::size_t>(shards)) {
    for (std::atomic<std::size_t>& first : first_) first = size;
  }
  /// Elements from `first` on are final in the gradient of one shard.
  void set(std::int64_t shard, std::size_t first) {
    first_[static_cast<std::size_t>(shard)].store(first, std::memory_order_release);
  }
  /// The element from which on all gradients are final.
  std::size_t first() const;

 private:
  std::vector<std::atomic<std::size_t>> first_;
};

/// Computes the gradient of one of a rank's shards, on thread `worker`, and says what is final.
using ShardRun =
    std::function<void(std::int64_t place, int worker, const distributed::FinalFrom& on_final)>;

/// Replaces gradients[0] by the sum over the shards of all ranks. `run` is called for each of the
/// gradients, of which there is one a shard, and then `after` while the sum may still go on.
void sum_while_computing(const Teamwork& team, std::span<const tensor::VectorView<float>> gradients,
                         int threads, const ShardRun& run, const std::function<void()>& after);

/// What a rank says of a step besides its results.
struct RankReport {
  double seconds = 0;          ///< for which it computed
  bool wants_to_stop = false;  ///< it was interrupted
};

/// What all ranks know of a step.
struct StepReports {
  int slowest_rank = 0;
  double slowest_seconds = 0;
  bool stop = false;  ///< a rank was interrupted
};
StepReports join_reports(std::span<const RankReport> reports);

/// Gives every rank the records of the shards of all ranks, in the order of the shards. `own`: of
/// own_shards(). Record: trivially copyable.
template <class Record>
StepReports exchange_records(distributed::Ranks& ranks, std::span<const Record> own,
                             const RankReport& report, std::vector<Record>& all) {
  static_assert(std::is_trivially_copyable_v<Record>);
  std::string packed(reinterpret_cast<const char*>(&report), sizeof report);
  packed.append(reinterpret_cast<const char*>(own.data()), own.size_bytes());
  all.clear();
  std::vector<RankReport> reports;
  for (const std::string& bytes : ranks.gather(packed)) {
    std::memcpy(&reports.emplace_back(), bytes.data(), sizeof report);
    const std::size_t count = (bytes.size() - sizeof report) / sizeof(Record);
    const std::size_t before = all.size();
    all.resize(before + count);
    std::memcpy(all.data() + before, bytes.data() + sizeof report, count * sizeof(Record));
  }
  return join_reports(reports);
}

}  // namespace asap::train
