#include "evaluate/compare/turns.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "support/random_encoder.h"

using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::test;

TEST_CASE("every method is equally often at every place of a turn") {
  constexpr std::size_t kMethods = 3;
  std::vector<std::vector<int>> count(kMethods, std::vector<int>(kMethods));
  for (std::int64_t turn = 0; turn < 6; ++turn) {
    const std::vector<std::size_t> order = turn_order(turn, kMethods);
    for (std::size_t place = 0; place < kMethods; ++place) ++count[order[place]][place];
  }
  for (const auto& row : count)
    for (const int times : row) CHECK(times == 2);
  std::vector<std::size_t> backwards = turn_order(3, kMethods);
  std::ranges::reverse(backwards);
  CHECK(backwards == turn_order(2, kMethods));
}

TEST_CASE("times and predictions of all turns are filled in") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const auto encoder = random_encoder(4);
  std::vector<std::unique_ptr<MethodContestant>> own;
  std::vector<MethodContestant*> contestants;
  for (const Method& method : {Method{}, Method{MethodKind::softmax}}) {
    own.push_back(std::make_unique<MethodContestant>(
        method, make_attention(method, encoder, nullptr), dataset.labels.size()));
    contestants.push_back(own.back().get());
  }
  std::vector<asap::tensor::Arena> arenas(1);
  take_turns(encoder, dataset, 1, arenas, contestants, {});
  for (const MethodContestant* contestant : contestants) {
    CHECK(contestant->seconds.size() >= 40);
    CHECK(contestant->attention_seconds.size() == contestant->seconds.size());
    CHECK(contestant->time.seconds > 0);
    CHECK(contestant->attention_time.seconds > 0);
    CHECK(contestant->time.interval >= 0);
    for (const std::int32_t prediction : contestant->predictions) CHECK(prediction != kNotScored);
  }
}
