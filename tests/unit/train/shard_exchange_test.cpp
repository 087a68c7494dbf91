#include "train/shard_exchange.h"

#include <algorithm>
#include <functional>

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
  void sum(std::span<const tensor::VectorView<float>>, distributed::SumOrder, int,
           const distributed::Computation& compute) override {
    compute([this](std::size_t first) {
      final_from.push_back(first);
      if (on_final) on_final(first);
    });
  }
  std::vector<std::string> gather(const std::string& bytes) override {
    return {before, bytes, after};
  }
  distributed::FailureReport fail(const std::string&) override { return {}; }
  void end(bool, int) override {}

  std::string before, after;
  std::vector<std::size_t> final_from;  // what the computation said
  std::function<void(std::size_t first)> on_final;
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

TEST_CASE("the gradients of a rank are final where those of all its shards are") {
  FinalParts parts(2, 10);
  CHECK(parts.first() == 10);
  parts.set(1, 4);
  CHECK(parts.first() == 10);  // nothing of shard 0
  parts.set(0, 7);
  CHECK(parts.first() == 7);
  parts.set(0, 0);
  CHECK(parts.first() == 4);
}

TEST_CASE("a sum over ranks begins while the last shard is computed, and before what follows") {
  ScriptedRanks ranks(0, 2);
  std::vector<float> one(10), two(10);
  const std::vector<tensor::VectorView<float>> gradients{one, two};
  std::vector<std::int64_t> places;
  const auto run = [&](std::int64_t place, int worker, const distributed::FinalFrom& on_final) {
    CHECK(worker == 0);
    places.push_back(place);
    for (const std::size_t first : {8, 8, 3, 0}) on_final(first);
  };
  std::vector<std::size_t> said;
  sum_while_computing({&ranks, distributed::SumOrder::fixed}, gradients, 1, run,
                      [&] { said = ranks.final_from; });
  CHECK(places == std::vector<std::int64_t>{0, 1});
  CHECK(said == std::vector<std::size_t>{8, 8, 3, 0, 0});  // nothing before the last shard
  CHECK(ranks.final_from == said);
}

TEST_CASE("what is said to be final can be read while other threads compute") {
  constexpr std::int64_t kShards = 7;
  constexpr std::size_t kSize = 4096, kPart = 16;
  std::vector<std::vector<float>> values(kShards, std::vector<float>(kSize));
  const std::vector<tensor::VectorView<float>> gradients(values.begin(), values.end());
  ScriptedRanks ranks(0, 2);
  ranks.on_final = [&](std::size_t first) {
    for (std::int64_t shard = 0; shard < kShards; ++shard)
      for (std::size_t i = first; i < kSize; ++i)
        REQUIRE(gradients[static_cast<std::size_t>(shard)][i] == static_cast<float>(shard + 1));
  };
  const auto run = [&](std::int64_t place, int, const distributed::FinalFrom& on_final) {
    const tensor::VectorView<float> gradient = gradients[static_cast<std::size_t>(place)];
    for (std::size_t end = kSize; end > 0; end -= kPart) {
      std::ranges::fill(gradient.subspan(end - kPart, kPart), static_cast<float>(place + 1));
      on_final(end - kPart);
    }
  };
  sum_while_computing({&ranks, distributed::SumOrder::fixed}, gradients, 3, run, [] {});
  CHECK(ranks.final_from.back() == 0);
}

TEST_CASE("a process without others computes its shards and adds them up, and nobody listens") {
  std::vector<float> one(3), two(3);
  const std::vector<tensor::VectorView<float>> gradients{one, two};
  const auto run = [&](std::int64_t place, int, const distributed::FinalFrom& on_final) {
    CHECK_FALSE(on_final);
    std::ranges::fill(gradients[static_cast<std::size_t>(place)], place == 0 ? 1.0F : 10.0F);
  };
  sum_while_computing({}, gradients, 2, run, [&] { CHECK(one[0] == 1); });
  CHECK(one == std::vector<float>{11, 11, 11});
}
