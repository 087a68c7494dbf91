#include "evaluate/study/token_mass.h"

#include <doctest/doctest.h>

using namespace asap;
using namespace asap::evaluate;

TEST_CASE("tokens are named by what they receive, most and least, if they occur often enough") {
  data::Dataset dataset;
  dataset.kind = data::ExampleKind::tokens;
  dataset.offsets = {0, 3, 5};
  dataset.ids = {7, 8, 7, 9, 8};
  CHECK(token_key(dataset, 1, 1, false) == 8);
  CHECK(token_key(dataset, 1, 1, true) == 9);
  CHECK(token_key(dataset, 1, 0, true) == -1);

  TokenMassSums one, other;
  one.add(0, 7, 2.0);
  one.add(0, 7, 1.0);
  one.add(0, 8, 0.25);
  other.add(0, 8, 0.75);
  other.add(0, 9, 9.0);
  other.add(1, 7, 1.0);
  one.add(other);
  const std::vector<LayerMasses> layers = one.extremes(dataset, 3, 2);
  REQUIRE(layers.size() == 2);
  REQUIRE(layers[0].most.size() == 1);  // 9 occurs once only
  CHECK(layers[0].most[0].token == "token 7");
  CHECK(layers[0].most[0].mass == 1.5);
  CHECK(layers[0].most[0].occurrences == 2);
  CHECK(layers[0].least[0].token == "token 8");
  CHECK(layers[0].least[0].mass == 0.5);
  CHECK(layers[1].most.empty());

  dataset.kind = data::ExampleKind::images;
  CHECK(token_key(dataset, 0, 4, false) == 4);
  one.add(1, 3, 2.0);
  CHECK(one.extremes(dataset, 1, 1)[1].most[0].token == "position 3");
}
