#include "data/texts/listops_dataset.h"

#include <string>

#include <doctest/doctest.h>

#include "data/load/load_dataset.h"
#include "support/drawn_sets.h"
#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

TEST_CASE("ListOps expressions have the value of their label and the length asked for") {
  for (const auto& [least, most] :
       std::vector<std::pair<int, int>>{{4, 12}, {20, 60}, {200, 300}}) {
    const Dataset dataset = load_dataset(listops_config(least, most), Split::train);
    CHECK(dataset.kind == ExampleKind::tokens);
    for (std::int64_t example = 0; example < dataset.size(); ++example) {
      const std::span<const std::int32_t> ids(dataset.ids.data() + dataset.offsets[example],
                                              static_cast<std::size_t>(dataset.tokens(example)));
      CHECK(std::ssize(ids) >= least);
      CHECK(std::ssize(ids) <= most);
      CHECK(evaluate_listops(ids) == dataset.labels[example]);
    }
  }
}

TEST_CASE("ListOps operators are minimum, maximum, median and sum modulo ten") {
  const auto ids = [](const std::vector<std::string>& tokens) {
    std::vector<std::int32_t> out;
    for (const std::string& token : tokens)
      for (std::int32_t id = 1; id < 16; ++id)
        if (listops_token(id) == token) out.push_back(id);
    REQUIRE(out.size() == tokens.size());
    return out;
  };
  // The example of Nangia and Bowman's paper.
  CHECK(evaluate_listops(ids({"[MAX", "4", "3", "[MIN", "2", "3", "]", "1", "0", "]"})) == 4);
  CHECK(evaluate_listops(ids({"[MIN", "7", "[SM", "8", "9", "5", "]", "]"})) == 2);
  CHECK(evaluate_listops(ids({"[MED", "9", "1", "4", "]"})) == 4);
  CHECK(evaluate_listops(ids({"[MED", "9", "2", "5", "4", "]"})) == 4);  // 4.5 rounded down
  CHECK_THROWS_AS(evaluate_listops(ids({"[MED", "9"})), InternalError);
  CHECK_THROWS_AS(evaluate_listops(ids({"[MED", "]"})), InternalError);
  CHECK_THROWS_AS(evaluate_listops(ids({"3", "3"})), InternalError);
}

TEST_CASE("impossible ListOps settings are refused by name") {
  DataConfig config = listops_config(20, 10);
  expect_error<UsageError>([&] { load_dataset(config, Split::train); },
                           {"data.listops.max_tokens", "10", "20"});
  config = listops_config(5, 20);
  config.classes = 4;
  expect_error<UsageError>([&] { load_dataset(config, Split::train); }, {"data.classes", "10"});
  config = listops_config(50, 60);
  config.listops.max_depth = 1;  // one list of at most ten digits
  expect_error<UsageError>([&] { load_dataset(config, Split::train); }, {"50 to 60", "max_depth"});
}
