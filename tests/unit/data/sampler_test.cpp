#include "data/sampler.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;

namespace {

std::vector<std::int64_t> take(EpochSampler& sampler, int batches) {
  std::vector<std::int64_t> taken;
  for (int i = 0; i < batches; ++i) {
    const auto batch = sampler.next();
    taken.insert(taken.end(), batch.begin(), batch.end());
  }
  return taken;
}

}  // namespace

TEST_CASE("the order of an epoch is a permutation that depends on seed and epoch alone") {
  std::vector<std::int64_t> order = epoch_order(1000, 7, 3);
  CHECK(order == epoch_order(1000, 7, 3));
  CHECK(order != epoch_order(1000, 7, 4));
  CHECK(order != epoch_order(1000, 8, 3));
  std::vector<std::int64_t> identity(1000);
  std::iota(identity.begin(), identity.end(), std::int64_t{0});
  CHECK(order != identity);
  std::sort(order.begin(), order.end());
  CHECK(order == identity);
}

TEST_CASE("every permutation of three is about equally likely") {
  std::vector<int> counts(27);
  for (std::uint32_t epoch = 0; epoch < 6000; ++epoch) {
    const auto order = epoch_order(3, 1, epoch);
    ++counts[static_cast<std::size_t>(order[0] * 9 + order[1] * 3 + order[2])];
  }
  // Binomial with mean 1000 and standard deviation 28.9; five of them on either side.
  for (const int code : {5, 7, 11, 15, 19, 21})
    CHECK(std::abs(counts[static_cast<std::size_t>(code)] - 1000) <= 145);
}

TEST_CASE("an epoch gives every example once when the last batch is kept") {
  EpochSampler sampler({10, 4, 1, true});
  CHECK(sampler.batches_per_epoch() == 3);
  std::vector<std::int64_t> epoch = take(sampler, 2);
  const auto last = sampler.next();
  CHECK(last.size() == 2);
  epoch.insert(epoch.end(), last.begin(), last.end());
  CHECK(epoch == epoch_order(10, 1, 0));
  CHECK(sampler.epoch() == 0);
  CHECK(sampler.next().size() == 4);
  CHECK(sampler.epoch() == 1);
}

TEST_CASE("a smaller last batch is dropped unless it is kept") {
  EpochSampler sampler({10, 4, 1, false});
  CHECK(sampler.batches_per_epoch() == 2);
  take(sampler, 2);
  const std::vector<std::int64_t> second = epoch_order(10, 1, 1);
  const auto next = sampler.next();
  CHECK(std::vector(next.begin(), next.end()) == std::vector(second.begin(), second.begin() + 4));
}

TEST_CASE("a sampler restored at any position goes on with the batches that would have come") {
  const SamplerConfig config{23, 5, 9, true};
  for (int stop = 0; stop <= 12; ++stop) {
    EpochSampler whole(config);
    take(whole, stop);
    EpochSampler resumed(config);
    resumed.restore(whole.position(), "memory");
    resumed.restore(parse_json(format_json(whole.position()), "text"), "state.json");
    CHECK(resumed.epoch() == whole.epoch());
    CHECK(take(resumed, 12) == take(whole, 12));
  }
}

TEST_CASE("a position that is damaged or of another run is refused") {
  const Json good = EpochSampler({23, 5, 9, true}).position();
  EpochSampler sampler({23, 5, 9, true});
  const auto expect_refused = [&](const Json& position, std::initializer_list<const char*> parts) {
    expect_error<DataError>([&] { sampler.restore(position, "state.json"); }, parts);
  };
  expect_refused(Json::array(), {"state.json", "object"});
  for (const auto& [key, value] : good.items()) {
    Json position = good;
    position.erase(key);
    expect_refused(position, {"state.json", "lacks", key.c_str()});
    position[key] = "x";
    expect_refused(position, {"state.json", key.c_str()});
  }
  Json position = good;
  position["examples"] = 24;
  expect_refused(position, {"examples is 24", "expected 23"});
  position = good;
  position["batch_index"] = 6;
  expect_refused(position, {"outside the epoch"});
  position["batch_index"] = -1;
  expect_refused(position, {"batch_index"});
}

TEST_CASE("a sampler that can give no batch is refused") {
  expect_error<UsageError>([] { EpochSampler({0, 4, 1, true}); }, {"no examples"});
  expect_error<UsageError>([] { EpochSampler({10, 0, 1, true}); }, {"batch"});
  expect_error<UsageError>([] { EpochSampler({3, 4, 1, false}); }, {"batch of 4", "3 examples"});
  CHECK(EpochSampler({3, 4, 1, true}).next().size() == 3);
}

TEST_CASE("batches of a pool hold examples of similar length, each example once") {
  const std::vector<std::int64_t> lengths{9, 1, 8, 2, 7, 3, 6, 4, 5, 5, 1, 9};
  const SamplerConfig config{12, 2, 3, false, 3};
  EpochSampler sampler(config, lengths);
  const std::vector<std::int64_t> epoch = take(sampler, 6), drawn = epoch_order(12, 3, 0);
  for (std::size_t first : {0, 6}) {
    std::vector<std::int64_t> pool(drawn.begin() + static_cast<std::ptrdiff_t>(first),
                                   drawn.begin() + static_cast<std::ptrdiff_t>(first) + 6);
    std::ranges::stable_sort(pool, {}, [&](std::int64_t i) { return lengths[i]; });
    for (std::size_t batch = 0; batch < 6; batch += 2) {
      const auto at = std::ranges::find(pool, epoch[first + batch]);
      REQUIRE(at != pool.end());
      CHECK((at - pool.begin()) % 2 == 0);
      CHECK(at[1] == epoch[first + batch + 1]);
    }
  }
  std::vector<std::int64_t> sorted = epoch;
  std::ranges::sort(sorted);
  for (std::int64_t i = 0; i < 12; ++i) CHECK(sorted[i] == i);
}

TEST_CASE("pools go on after the last whole one, and dropping does not depend on length") {
  std::vector<std::int64_t> lengths(23);
  for (std::int64_t i = 0; i < 23; ++i) lengths[i] = i;
  EpochSampler dropping({23, 5, 9, false, 3}, lengths);
  std::vector<std::int64_t> used = take(dropping, 4), drawn = epoch_order(23, 9, 0);
  drawn.resize(20);
  std::ranges::sort(used);
  std::ranges::sort(drawn);
  CHECK(used == drawn);
  EpochSampler keeping({23, 5, 9, true, 100}, lengths);
  take(keeping, 4);
  const auto last = keeping.next();
  const std::vector<std::int64_t> order = epoch_order(23, 9, 0);
  CHECK(std::vector(last.begin(), last.end()) == std::vector(order.begin() + 20, order.end()));
}

TEST_CASE("a sampler with pools is restored at any position, and refuses those of another pool") {
  std::vector<std::int64_t> lengths(23);
  for (std::int64_t i = 0; i < 23; ++i) lengths[i] = i * 7 % 11;
  const SamplerConfig config{23, 5, 9, true, 2};
  for (int stop = 0; stop <= 12; ++stop) {
    EpochSampler whole(config, lengths);
    take(whole, stop);
    EpochSampler resumed(config, lengths);
    resumed.restore(whole.position(), "memory");
    CHECK(take(resumed, 12) == take(whole, 12));
  }
  EpochSampler sampler(config, lengths);
  expect_error<DataError>(
      [&] {
        sampler.restore(EpochSampler({23, 5, 9, true}).position(), "s");
      },
      {"length_pool"});
}
