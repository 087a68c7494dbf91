#include "optim/adamw.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"

using namespace asap::autodiff;
using namespace asap::optim;
using namespace asap::tensor;

namespace {

/// Three parameters, the second of them frozen, large enough for several threads.
struct LargeNetwork {
  ParameterStore<float> parameters;
  std::vector<float> first, gradient;  // weights before, last gradient

  explicit LargeNetwork(int threads, int steps) {
    parameters.add("table", {1500, 1001}, false);
    const ParameterId frozen = parameters.add("frozen", {400, 1000}, true);
    parameters.add("weight", {300, 1111}, true);
    asap::base::RandomStream random(5, asap::base::RandomPurpose::test);
    for (float& weight : parameters.flat()) weight = static_cast<float>(random.uniform(-1, 1));
    first.assign(parameters.flat().begin(), parameters.flat().end());
    AdamW<float> optimizer(parameters, {.weight_decay = 0.1, .threads = threads});
    optimizer.set_pace(frozen, {.frozen = true});
    gradient.resize(parameters.flat().size());
    for (int step = 0; step < steps; ++step) {
      for (float& value : gradient) value = static_cast<float>(random.uniform(-1, 1));
      optimizer.step(parameters, gradient, 0.01, 0.5);
    }
  }
};

}  // namespace

TEST_CASE("a first update moves every weight that is not frozen by the learning rate") {
  const LargeNetwork network(2, 1);
  double error = 0;
  for (const auto& entry : network.parameters.entries())
    for (std::int64_t i = 0; i < entry.shape.size(); ++i) {
      const auto at = static_cast<std::size_t>(entry.offset + i);
      const double weight = network.first[at], slope = 0.5 * network.gradient[at];
      const double moved = slope / (std::abs(slope) + 1e-8) + (entry.decay ? 0.1 * weight : 0);
      const double expected = entry.name == "frozen" ? weight : weight - 0.01 * moved;
      error = std::max(error, std::abs(network.parameters.flat()[at] - expected));
    }
  // In float32 the moments of a gradient g are rounded: |g| / sqrt(g * g) is 1 within 1e-6.
  CHECK(error < 0.01 * 1e-4);
}

TEST_CASE("threads share the updates of a large network without changing a bit") {
  const LargeNetwork alone(1, 3);
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    CHECK(std::ranges::equal(LargeNetwork(threads, 3).parameters.flat(), alone.parameters.flat()));
  }
}
