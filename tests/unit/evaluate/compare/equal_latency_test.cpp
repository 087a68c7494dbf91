#include "evaluate/compare/equal_latency.h"

#include <doctest/doctest.h>

#include "base/timing.h"
#include "support/expect_error.h"
#include "support/random_encoder.h"

using namespace asap::base;
using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::infer;
using namespace asap::test;

TEST_CASE("the largest affordable number of iterations is found, whatever it is") {
  for (int most = 0; most <= 20; ++most)
    for (int limit = -1; limit <= most; ++limit) {
      CAPTURE(most);
      CAPTURE(limit);
      int asked = 0;
      const auto found = largest_affordable(most, [&](int iterations) {
        CHECK(iterations >= 0);
        CHECK(iterations <= most);
        ++asked;
        return iterations <= limit;
      });
      CHECK(found.value_or(-1) == limit);
      CHECK(asked <= 5);  // of at most 21 numbers, by bisection
    }
}

TEST_CASE("a median does not follow an outlier") {
  CHECK(median({3}) == 3);
  CHECK(median({9, 1, 2}) == 2);
  CHECK(median({4, 1, 1000, 2}) == 3);
}

TEST_CASE("the times of the table decide which candidate has equal latency") {
  const EqualLatency equal{{2, 3, 4}, 4};
  const auto choice = [&](std::vector<double> seconds) {
    return choose_equal_latency(equal, seconds, 1.0);
  };
  CHECK(choice({0.8, 0.9, 1.1}).iterations == 3);
  CHECK_FALSE(choice({0.8, 0.9, 1.1}).capped);
  CHECK(choice({0.8, 0.9, 1.0}).iterations == 4);
  CHECK(choice({0.8, 0.9, 1.0}).capped);
  CHECK(choice({1.2, 1.3, 1.4}).iterations == 2);  // none fits
}

TEST_CASE("the truncation of equal latency stands under its own name and is marked") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder encoder = random_encoder(4);
  const CompiledHeads heads = zero_dual_heads(encoder);
  const auto compare = [&](std::vector<std::string> names, int iterations) {
    ComparisonSettings settings{parse_methods(names, 2), 1, 4};
    settings.equal_latency =
        find_equal_latency(settings.methods, encoder, &heads, iterations, dataset);
    return compare_methods(encoder, &heads, dataset, settings).methods;
  };
  const std::vector<MethodResult> methods = compare({"teacher", "sinkhorn:equal", "compiled"}, 4);
  REQUIRE(methods.size() == 3);
  CHECK(methods[1].name.starts_with("sinkhorn:"));
  CHECK(methods[1].equal_latency);
  CHECK(methods[1].capped == (methods[1].name == "sinkhorn:4"));
  CHECK_FALSE(methods[2].equal_latency);

  const std::vector<MethodResult> known =
      compare({"sinkhorn:equal", "sinkhorn:0", "sinkhorn:1"}, 1);
  REQUIRE(known.size() == 2);  // whichever it is, it stands there already
  CHECK(known[0].equal_latency != known[1].equal_latency);

  // With T = 0 there is one K to choose, which is the cap. The compiled operator has no row.
  const std::vector<MethodResult> alone = compare({"sinkhorn:equal"}, 0);
  REQUIRE(alone.size() == 1);
  CHECK(alone[0].name == "sinkhorn:0");
  CHECK(alone[0].capped);
}

TEST_CASE(
    "nothing is measured unless asked for, and without an operator there is nothing to equal") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder encoder = random_encoder(4);
  const std::vector<std::string> plain = {"teacher", "sinkhorn:2"};
  CHECK_FALSE(find_equal_latency(parse_methods(plain, 2), encoder, nullptr, 0, dataset));
  const std::vector<std::string> equal = {"sinkhorn:equal"};
  expect_error<UsageError>(
      [&] { find_equal_latency(parse_methods(equal, 2), encoder, nullptr, 0, dataset); },
      {"needs a compiled operator"});
  const std::vector<std::string> layers = {"sinkhorn:equal@0"};
  expect_error<UsageError>([&] { parse_methods(layers, 2); }, {"all layers"});
}
