#include "data/load/load_dataset.h"

#include <algorithm>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "support/drawn_sets.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

namespace {

/// The same examples in both, as far as the shorter goes.
void check_reproducible(DataConfig config) {
  const Dataset all = load_dataset(config, Split::train),
                again = load_dataset(config, Split::train);
  CHECK(all.fingerprint == again.fingerprint);
  CHECK(load_dataset(config, Split::test).fingerprint != all.fingerprint);
  config.train_examples = 3;
  const Dataset few = load_dataset(config, Split::train);
  CHECK(few.size() == 3);
  CHECK(std::equal(few.points.begin(), few.points.end(), all.points.begin()));
  CHECK(std::equal(few.ids.begin(), few.ids.end(), all.ids.begin()));
  CHECK(std::equal(few.labels.begin(), few.labels.end(), all.labels.begin()));
}

}  // namespace

TEST_CASE("drawn sets depend on seed, split and place alone") {
  check_reproducible(matching_config(0.4));
  check_reproducible(solids_config());
  check_reproducible(listops_config(5, 40));
}

TEST_CASE("tokens of drawn sets have names for reports") {
  const Dataset listops = load_dataset(listops_config(5, 20), Split::test);
  std::string expression;
  for (std::int64_t i = 0; i < listops.offsets[1]; ++i)
    expression += listops.token_name(listops, i) + " ";
  CHECK(expression.starts_with("["));
  CHECK(expression.ends_with("] "));

  DataConfig config;
  config.kind = DataKind::matching;
  config.classes = 5;
  config.matching.pairs = 3;
  config.matching.examples = config.matching.test_examples = 2;
  const Dataset matching = load_dataset(config, Split::test);
  std::multiset<std::string> asked, held;
  for (std::int64_t i = 0; i < 6; ++i) {
    const std::string name = matching.token_name(matching, i);
    if (name.starts_with("query "))
      asked.insert(name.substr(6));
    else
      held.insert(name.substr(7));
  }
  CHECK(asked.size() == 3);
  CHECK(asked == held);  // every query has its answer

  config.kind = DataKind::majority;
  config.majority.examples = config.majority.test_examples = 2;
  const Dataset majority = load_dataset(config, Split::test);
  for (std::int64_t i = 0; i < majority.offsets[1]; ++i) {
    const std::int32_t id = majority.ids[static_cast<std::size_t>(i)];
    const std::string name = majority.token_name(majority, i);
    CHECK(name == (id <= 5 ? std::string(1, static_cast<char>('A' + id - 1))
                           : "(" + std::to_string(id) + ")"));
  }
}
