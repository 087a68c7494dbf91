#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "data/batch.h"
#include "data/load/load_dataset.h"
#include "data/points/matching_dataset.h"
#include "data/points/solids_dataset.h"
#include "data/texts/listops_dataset.h"
#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

namespace {

DataConfig matching_config(double noise) {
  DataConfig config;
  config.kind = DataKind::matching;
  config.classes = 5;
  config.matching = {
      .examples = 20, .test_examples = 5, .pairs = 6, .code_width = 4, .noise = noise};
  return config;
}

DataConfig listops_config(int least, int most) {
  DataConfig config;
  config.kind = DataKind::listops;
  config.listops.examples = 60;
  config.listops.test_examples = 20;
  config.listops.min_tokens = least;
  config.listops.max_tokens = most;
  return config;
}

DataConfig solids_config() {
  DataConfig config;
  config.kind = DataKind::solids;
  config.classes = 8;
  config.solids = {.examples = 80, .test_examples = 10, .points = 32, .noise = 0.0};
  return config;
}

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

TEST_CASE("every asking token of a matching set has one partner, whose payload is its label") {
  const Dataset dataset = load_dataset(matching_config(0), Split::train);
  CHECK(dataset.point_width == 11);
  CHECK(dataset.labels_tokens);
  CHECK(dataset.size() == 20);
  for (std::int64_t example = 0; example < dataset.size(); ++example) {
    REQUIRE(dataset.tokens(example) == 12);
    const auto token = [&](std::int64_t i) {
      return dataset.points.data() + (dataset.offsets[example] + i) * dataset.point_width;
    };
    int asking = 0;
    for (std::int64_t i = 0; i < 12; ++i) {
      const std::int32_t label = dataset.labels[dataset.offsets[example] + i];
      CHECK(token(i)[0] + token(i)[1] == 1);
      if (token(i)[0] == 0) {
        CHECK(label == kNotScored);
        CHECK(std::count(token(i) + 6, token(i) + 11, 1.0f) == 1);
        continue;
      }
      ++asking;
      CHECK(std::count(token(i) + 6, token(i) + 11, 0.0f) == 5);
      int partners = 0;
      for (std::int64_t j = 0; j < 12; ++j)
        if (token(j)[1] == 1 && std::equal(token(i) + 2, token(i) + 6, token(j) + 2)) {
          ++partners;
          CHECK(token(j)[6 + label] == 1);
        }
      CHECK(partners == 1);
    }
    CHECK(asking == 6);
  }
}

TEST_CASE("both copies of a code carry noise of the deviation asked for") {
  // Without noise and with it the same codes, tokens and order are drawn.
  const Dataset clean = load_dataset(matching_config(0), Split::train);
  const Dataset noisy = load_dataset(matching_config(0.5), Split::train);
  double square = 0;
  for (std::size_t i = 0; i < clean.points.size(); ++i)
    square += std::pow(noisy.points[i] - clean.points[i], 2);
  const double codes = static_cast<double>(clean.offsets.back()) * 4;
  CHECK(std::sqrt(square / codes) == doctest::Approx(0.5).epsilon(0.08));  // 960 values
}

TEST_CASE("drawn sets depend on seed, split and place alone") {
  check_reproducible(matching_config(0.4));
  check_reproducible(solids_config());
  check_reproducible(listops_config(5, 40));
}

TEST_CASE("solids lie in the unit ball around 0, every one in turn") {
  const Dataset dataset = load_dataset(solids_config(), Split::train);
  std::vector<int> seen(8);
  for (std::int64_t example = 0; example < dataset.size(); ++example) {
    ++seen[dataset.labels[example]];
    double farthest = 0, mean[3] = {0, 0, 0};
    for (std::int64_t i = 0; i < 32; ++i) {
      const float* point = dataset.points.data() + (dataset.offsets[example] + i) * 3;
      farthest = std::max<double>(farthest, std::hypot(point[0], point[1], point[2]));
      for (int k = 0; k < 3; ++k) mean[k] += point[k] / 32;
    }
    CHECK(farthest == doctest::Approx(1).epsilon(1e-5));
    for (const double value : mean) CHECK(std::abs(value) < 1e-5);
  }
  CHECK(std::ranges::min(seen) > 0);
  DataConfig config = solids_config();
  config.classes = 9;
  expect_error<UsageError>([&] { load_dataset(config, Split::train); }, {"data.classes", "8"});
}

TEST_CASE("points are drawn without repetition, alike for a step and place, anew for others") {
  DataConfig config = solids_config();
  config.points.count = 10;
  const Dataset dataset = load_dataset(config, Split::train);
  const std::vector<std::int64_t> examples = {4, 7};
  const auto drawn = [&](std::uint32_t step, std::uint32_t first) {
    Batch batch;
    batch.fill(dataset, examples, {1, step, first});
    const ModelInput<float> input = batch.input();
    CHECK(input.tokens == 10);
    std::vector<std::vector<float>> points;
    for (std::int64_t i = 0; i < 20; ++i)
      points.emplace_back(input.values.row(i).begin(), input.values.row(i).end());
    return points;
  };
  const auto once = drawn(3, 0);
  CHECK(once == drawn(3, 0));
  CHECK(once != drawn(4, 0));
  CHECK(once != drawn(3, 8));
  for (int row = 0; row < 2; ++row) {
    std::vector<std::vector<float>> points(once.begin() + 10 * row, once.begin() + 10 * row + 10);
    std::ranges::sort(points);
    CHECK(std::ranges::adjacent_find(points) == points.end());
  }
  // Without a draw the first ones.
  Batch batch;
  batch.fill(dataset, examples);
  const float* first = dataset.points.data() + dataset.offsets[4] * 3;
  CHECK(std::equal(first, first + 30, batch.input().values.data));
}

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
