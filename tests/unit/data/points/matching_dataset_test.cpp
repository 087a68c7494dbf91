#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "data/load/load_dataset.h"
#include "support/drawn_sets.h"

using namespace asap::data;
using namespace asap::test;

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
