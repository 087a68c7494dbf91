#include "evaluate/matching/classical_matchers.h"

#include <cmath>
#include <tuple>

#include <doctest/doctest.h>

using namespace asap;
using namespace asap::evaluate;
using infer::Matches;
using Partners = std::vector<std::int32_t>;

namespace {

// Row 0 and column 1 choose each other; row 1 prefers column 1 too; row 2 is clear.
const float kSimilarity[] = {.2F, .90F, .3F,  //
                             .7F, .85F, .1F,  //
                             .1F, .20F, .95F};
const tensor::MatrixView<const float> kThree{kSimilarity, 3, 3};

}  // namespace

TEST_CASE("mutual nearest neighbours choose each other") {
  const Matches matches = match_mutual_nearest(kThree);
  CHECK(matches.partners == Partners{1, -1, 2});
  CHECK(matches.confidences == std::vector<float>{.9F, 0, .95F});
}

TEST_CASE("the ratio test wants the second neighbour to be farther") {
  // Distances of row 0: sqrt(.2) and sqrt(1.4), a ratio of .378; of row 2: sqrt(.1), sqrt(1.6),
  // .25.
  CHECK(match_by_ratio(kThree, .8).partners == Partners{1, -1, 2});
  CHECK(match_by_ratio(kThree, .3).partners == Partners{-1, -1, 2});
  CHECK(match_by_ratio(kThree, .8).confidences[0] ==
        doctest::Approx(1 - std::sqrt(.2 / 1.4)).epsilon(1e-5));
}

TEST_CASE("an assignment gives every row its own column, if it is similar enough") {
  CHECK(match_by_assignment(kThree, -1).partners == Partners{1, 0, 2});
  CHECK(match_by_assignment(kThree, .8).partners == Partners{1, -1, 2});
}

TEST_CASE("empty sets, one keypoint and equal descriptors have defined matches") {
  const tensor::MatrixView<const float> no_rows{nullptr, 0, 3}, no_columns{nullptr, 2, 0};
  const float ones[] = {1, 1, 1, 1};
  const tensor::MatrixView<const float> equal{ones, 2, 2}, one{ones, 1, 1};
  for (const auto& [similarity, nearest, ratio] : {std::tuple{no_rows, Partners{}, Partners{}},
                                                   {no_columns, Partners{-1, -1}, Partners{-1, -1}},
                                                   {one, Partners{0}, Partners{-1}},
                                                   {equal, Partners{0, -1}, Partners{-1, -1}}}) {
    CHECK(match_mutual_nearest(similarity).partners == nearest);
    CHECK(match_by_ratio(similarity, .8).partners == ratio);
    CHECK(match_by_assignment(similarity, 2).partners.size() == nearest.size());
  }
  CHECK(match_by_assignment(equal, 0).partners != Partners{-1, -1});
}
