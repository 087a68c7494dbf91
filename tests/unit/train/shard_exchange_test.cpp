#include "train/shard_exchange.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/expect_error.h"

using namespace asap;
using namespace asap::train;

namespace {

/// One of several ranks that says of every exchange what it was told to.
class ScriptedRanks final : public distributed::Ranks {
 public:
  ScriptedRanks(int rank, int size) : Ranks(rank, size, "node") {}
  void sum(std::span<const tensor::VectorView<float>>, distributed::SumOrder, int) override {}
  std::vector<std::string> gather(const std::string& bytes) override {
    return {before, bytes, after};
  }
  distributed::FailureReport fail(const std::string&) override { return {}; }
  void end(bool, int) override {}

  std::string before, after;
};

struct Record {
  double loss;
  std::int64_t correct;
};

std::string packed(const RankReport& report, const std::vector<Record>& records) {
  std::string bytes(reinterpret_cast<const char*>(&report), sizeof report);
  return bytes.append(reinterpret_cast<const char*>(records.data()),
                      records.size() * sizeof(Record));
}

}  // namespace

TEST_CASE(
    "records arrive in the order of the shards, with the slowest rank and who wants to stop") {
  ScriptedRanks ranks(1, 3);
  ranks.before = packed({0.5, false}, {{1, 10}, {2, 20}});
  ranks.after = packed({2.5, true}, {{4, 40}});
  const std::vector<Record> own{{3, 30}};
  std::vector<Record> all;
  const StepReports reports = exchange_records<Record>(ranks, own, {1.5, false}, all);
  REQUIRE(all.size() == 4);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].loss == static_cast<double>(i + 1));
    CHECK(all[i].correct == 10 * static_cast<std::int64_t>(i + 1));
  }
  CHECK(reports.stop);
  CHECK(reports.slowest_rank == 2);
  CHECK(reports.slowest_seconds == 2.5);
}

TEST_CASE("ranks share the shards of a batch, and one without a shard is refused") {
  const ScriptedRanks first(0, 3), last(2, 3);
  CHECK(own_shards(first, 8).first == 0);
  CHECK(own_shards(first, 8).count + own_shards(last, 8).count + 3 == 8);
  CHECK(own_shards(last, 8).first + own_shards(last, 8).count == 8);
  test::expect_error<base::UsageError>([&] { own_shards(last, 2); }, {"2 shards", "3 ranks"});
}
