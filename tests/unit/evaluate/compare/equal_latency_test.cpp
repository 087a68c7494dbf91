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

TEST_CASE("the truncation of equal latency stands under its own name and is marked") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder encoder = random_encoder(4);
  const CompiledHeads heads = zero_dual_heads(encoder);
  const std::vector<std::string> names = {"teacher", "sinkhorn:equal", "compiled"};
  const std::vector<Method> methods =
      resolve_equal_latency(parse_methods(names, 2), encoder, &heads, 4, dataset);
  REQUIRE(methods.size() == 3);
  CHECK(methods[1].kind == MethodKind::sinkhorn);
  CHECK(methods[1].equal_latency);
  CHECK(methods[1].iterations >= 0);
  CHECK(methods[1].iterations <= 4);
  CHECK(methods[1].capped == (methods[1].iterations == 4));

  const std::vector<std::string> all = {"sinkhorn:equal", "sinkhorn:0", "sinkhorn:1"};
  const std::vector<Method> known =
      resolve_equal_latency(parse_methods(all, 2), encoder, &heads, 1, dataset);
  REQUIRE(known.size() == 2);  // whichever it is, it stands there already
  CHECK(known[0].equal_latency != known[1].equal_latency);

  // With T = 0 there is one K to choose, which is the cap.
  const std::vector<std::string> one = {"sinkhorn:equal"};
  const std::vector<Method> capped =
      resolve_equal_latency(parse_methods(one, 2), encoder, &heads, 0, dataset);
  CHECK(capped[0].capped);
  CHECK(compare_methods(encoder, &heads, dataset, {capped, 1, 4}).methods[0].capped);

  const Comparison comparison = compare_methods(encoder, &heads, dataset, {known, 1, 4});
  CHECK(comparison.methods[0].equal_latency == known[0].equal_latency);
}

TEST_CASE(
    "nothing is measured unless asked for, and without an operator there is nothing to equal") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder encoder = random_encoder(4);
  const std::vector<std::string> plain = {"teacher", "sinkhorn:2"};
  CHECK(resolve_equal_latency(parse_methods(plain, 2), encoder, nullptr, 0, dataset) ==
        parse_methods(plain, 2));
  const std::vector<std::string> equal = {"sinkhorn:equal"};
  expect_error<UsageError>(
      [&] { resolve_equal_latency(parse_methods(equal, 2), encoder, nullptr, 0, dataset); },
      {"needs a compiled operator"});
  const std::vector<std::string> layers = {"sinkhorn:equal@0"};
  expect_error<UsageError>([&] { parse_methods(layers, 2); }, {"all layers"});
}
