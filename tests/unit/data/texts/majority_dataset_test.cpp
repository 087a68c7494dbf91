#include "data/texts/majority_dataset.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "data/load/load_dataset.h"
#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

namespace {

DataConfig small() {
  DataConfig config;
  config.kind = DataKind::majority;
  config.classes = 4;
  config.majority.examples = 200;
  config.majority.test_examples = 50;
  config.majority.min_tokens = 1;
  return config;
}

std::vector<std::int32_t> sequence(const Dataset& dataset, std::int64_t example) {
  return {dataset.ids.begin() + dataset.offsets[example],
          dataset.ids.begin() + dataset.offsets[example + 1]};
}

}  // namespace

TEST_CASE("the token of its class is the most frequent of a majority sequence") {
  const Dataset dataset = load_dataset(small(), Split::train);
  CHECK(dataset.kind == ExampleKind::tokens);
  CHECK(dataset.size() == 200);
  CHECK(dataset.vocabulary == 13);
  std::vector<int> classes(4);
  for (std::int64_t example = 0; example < dataset.size(); ++example) {
    const std::vector<std::int32_t> ids = sequence(dataset, example);
    CHECK(std::ranges::all_of(ids, [](std::int32_t id) { return id >= 1 && id < 13; }));
    CHECK(ids.size() >= 1);
    CHECK(ids.size() <= 32);
    const std::int32_t label = dataset.labels[example];
    ++classes[label];
    for (std::int32_t other = 0; other < 4; ++other)
      if (other != label)
        CHECK(std::ranges::count(ids, other + 1) < std::ranges::count(ids, label + 1));
  }
  CHECK(std::ranges::min(classes) > 20);  // of 50 expected each
}

TEST_CASE("majority sequences depend on seed, split and place alone") {
  DataConfig config = small();
  const Dataset all = load_dataset(config, Split::train);
  config.train_examples = 30;
  const Dataset few = load_dataset(config, Split::train);
  CHECK(few.size() == 30);
  CHECK(few.labels.size() == 30);
  CHECK(few.offsets.back() == static_cast<std::int64_t>(few.ids.size()));
  CHECK(sequence(few, 29) == sequence(all, 29));
  CHECK(few.fingerprint != all.fingerprint);
  config.train_examples = 0;
  CHECK(load_dataset(config, Split::train).fingerprint == all.fingerprint);
  CHECK(sequence(load_dataset(config, Split::test), 0) != sequence(all, 0));
  config.majority.seed = 2;
  CHECK(load_dataset(config, Split::train).fingerprint != all.fingerprint);
}

TEST_CASE("majority sequences cannot be shorter at most than at least") {
  DataConfig config = small();
  config.majority.min_tokens = 33;
  expect_error<UsageError>([&] { load_dataset(config, Split::train); },
                           {"data.majority.max_tokens (32)", "min_tokens (33)"});
}
