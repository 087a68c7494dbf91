#include "train/shard_exchange.h"

#include <algorithm>

#include "base/counted.h"
#include "base/error.h"
#include "base/parallel.h"

namespace asap::train {

ShardRange own_shards(const distributed::Ranks& ranks, std::int64_t count) {
  if (count < ranks.size())
    throw base::UsageError("a batch has " + base::counted(count, "shard") + ", too few for " +
                               base::counted(ranks.size(), "rank"),
                           "start fewer ranks, or set a larger train.batch or smaller train.shard");
  const std::int64_t first = distributed::first_of_rank(count, ranks.rank(), ranks.size());
  return {first, distributed::first_of_rank(count, ranks.rank() + 1, ranks.size()) - first};
}

std::size_t FinalParts::first() const {
  std::size_t first = 0;
  for (const std::atomic<std::size_t>& shard : first_)
    first = std::max(first, shard.load(std::memory_order_acquire));
  return first;
}

void sum_while_computing(const Teamwork& team, std::span<const tensor::VectorView<float>> gradients,
                         int threads, const ShardRun& run, const std::function<void()>& after) {
  const std::size_t size = gradients.front().size();
  FinalParts parts(std::ssize(gradients), size);
  const bool is_shared = team.ranks->size() > 1;
  team.ranks->sum(gradients, team.order, threads, [&](const distributed::FinalFrom& final_from) {
    base::parallel_for(std::ssize(gradients), threads, [&](std::int64_t place, int worker) {
      if (!is_shared) return run(place, worker, nullptr);
      run(place, worker, [&parts, &final_from, place, worker, size](std::size_t first) {
        parts.set(place, first);
        if (worker != 0) return;  // only the main thread may exchange
        const std::size_t all = parts.first();
        if (all < size) final_from(all);
      });
    });
    if (is_shared) final_from(0);
    after();
  });
}

StepReports join_reports(std::span<const RankReport> reports) {
  StepReports joined;
  for (std::size_t rank = 0; rank < reports.size(); ++rank) {
    joined.stop = joined.stop || reports[rank].wants_to_stop;
    if (reports[rank].seconds <= joined.slowest_seconds) continue;
    joined.slowest_seconds = reports[rank].seconds;
    joined.slowest_rank = static_cast<int>(rank);
  }
  return joined;
}

}  // namespace asap::train
