#include "evaluate/matching/match_lists.h"

#include <doctest/doctest.h>

using namespace asap;
using namespace asap::evaluate;

TEST_CASE("matches are written one a line, with the numbers of the file") {
  const std::vector<infer::Matches> matches{{{-1, 4}, {0, .5F}}, {{}, {}}, {{0}, {.25F}}};
  CHECK(matches_as_csv(matches) == "pair,i,j,confidence\n0,1,4,0.500000\n2,0,0,0.250000\n");
  const io::Json json = matches_as_json(matches);
  REQUIRE(json.size() == 2);
  CHECK(json[1]["pair"] == 2);
  CHECK(json[0]["confidence"] == .5);
}
