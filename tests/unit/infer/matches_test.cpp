#include "infer/matches.h"

#include <vector>

#include <doctest/doctest.h>

using namespace asap::infer;

TEST_CASE("precision, recall and F1 leave out ambiguous keypoints") {
  const std::vector<std::int32_t> truth{4, 3, -1, -1, -2, 0};
  const std::vector<std::int32_t> found{4, 2, 1, -1, 5, -1};
  MatchCounts counts = count_matches(found, truth);
  CHECK(counts == MatchCounts{1, 3, 3});
  CHECK(counts.precision() == doctest::Approx(1.0 / 3));
  counts += count_matches(truth, truth);
  CHECK(counts == MatchCounts{4, 6, 6});
  CHECK(counts.recall() == doctest::Approx(4.0 / 6));
  CHECK(MatchCounts{2, 4, 8}.f1() == doctest::Approx(2 * .5 * .25 / .75));
}

TEST_CASE("without matches all three are zero") {
  const MatchCounts none = count_matches({}, {});
  CHECK(none.precision() == 0);
  CHECK(none.recall() == 0);
  CHECK(none.f1() == 0);
}

TEST_CASE("an entry of a plan is a match if it is the largest of its row and column") {
  const float entries[] = {.2F, .6F, .1F,  //
                           .3F, .5F, .1F,  //
                           .1F, .1F, .3F};
  const asap::tensor::MatrixView<const float> plan{entries, 3, 3};
  CHECK(decode_plan(plan, 0).partners == std::vector<std::int32_t>{1, -1, 2});
  CHECK(decode_plan(plan, .4).partners == std::vector<std::int32_t>{1, -1, -1});
  CHECK(decode_plan(plan, .4).confidences == std::vector<float>{.6F, 0, 0});
  CHECK(decode_plan({nullptr, 2, 0}, 0).partners == std::vector<std::int32_t>{-1, -1});
}
