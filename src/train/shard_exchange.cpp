#include "train/shard_exchange.h"

#include "base/error.h"

namespace asap::train {

ShardRange own_shards(const distributed::Ranks& ranks, std::int64_t count) {
  if (count < ranks.size())
    throw base::UsageError("a batch has " + std::to_string(count) + " shards, too few for " +
                               std::to_string(ranks.size()) + " ranks",
                           "start fewer ranks, or set a larger train.batch or smaller train.shard");
  const std::int64_t first = distributed::first_of_rank(count, ranks.rank(), ranks.size());
  return {first, distributed::first_of_rank(count, ranks.rank() + 1, ranks.size()) - first};
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
