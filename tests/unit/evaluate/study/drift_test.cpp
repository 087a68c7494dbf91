#include "evaluate/study/drift.h"

#include <doctest/doctest.h>

#include "compile/calibration.h"
#include "compile/compile_heads.h"
#include "data/shift.h"
#include "support/random_encoder.h"

namespace asap::test {
namespace {

data::Dataset shapes(std::uint64_t seed, std::int64_t count,
                     const config::ShiftConfig& shift = {}) {
  config::DataConfig config = small_data();
  config.shapes.seed = seed;
  config.shapes.test_examples = static_cast<int>(count);
  data::Dataset dataset = data::draw_shapes_dataset(config, data::Split::test);
  data::apply_shift(shift, dataset);
  return dataset;
}

/// A random network compiled on drawn shapes.
evaluate::CompiledHeads compiled_on_shapes(const infer::Encoder& encoder) {
  compile::CompileConfig config;
  config.features = {"lse", "lse0", "it:1"};
  config.calibration = 96;
  config.held_out = 48;
  return compile::compile_heads(compile::capture_activations(encoder, shapes(100, 144), 144, 1, 2),
                                config, 2)
      .heads;
}

TEST_CASE("Held-out inputs are not called shifted over twenty seeds, shifted ones are") {
  const infer::Encoder encoder = random_encoder(5);
  const evaluate::CompiledHeads heads = compiled_on_shapes(encoder);
  const auto drift = [&](const data::Dataset& dataset) {
    return evaluate::measure_drift(encoder, heads, dataset, {.threads = 2});
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const evaluate::Drift held_out = drift(shapes(seed, 200));
    CHECK_MESSAGE(!held_out.shifted(), "seed " << seed);
    CHECK(evaluate::drift_words(held_out)[0] == "Inputs look like those of the calibration.");
  }
  // Negatives are no shift for a random network: scores of tokens hardly change with all signs.
  for (const double noise : {0.5, 0.8}) {
    const evaluate::Drift shifted = drift(shapes(3, 200, {.noise = noise}));
    CHECK(shifted.shifted());
    CHECK(evaluate::drift_words(shifted)[0].starts_with("Shifted: layer "));
  }
}

TEST_CASE("Drift is the same for any number of threads and counts the examples it drew") {
  const infer::Encoder encoder = random_encoder(5);
  const evaluate::CompiledHeads heads = compiled_on_shapes(encoder);
  const data::Dataset dataset = shapes(2, 90);
  const evaluate::Drift one = evaluate::measure_drift(encoder, heads, dataset, {.examples = 70}),
                        two = evaluate::measure_drift(encoder, heads, dataset,
                                                      {.examples = 70, .threads = 3});
  CHECK(one.examples == 70);
  REQUIRE(one.heads.size() == 4);
  for (std::size_t h = 0; h < one.heads.size(); ++h) {
    CHECK(one.heads[h].live == two.heads[h].live);
    CHECK(one.heads[h].probability == two.heads[h].probability);
    CHECK(one.heads[h].live.size() == 70);
    CHECK(one.heads[h].calibration.size() == 144);
  }
  CHECK(one.heads[3].layer == 1);
  CHECK(one.heads[3].head == 1);
}

TEST_CASE("An operator without column errors is refused with what to do") {
  const infer::Encoder encoder = random_encoder(5);
  CHECK_THROWS_AS(
      evaluate::measure_drift(encoder, evaluate::zero_dual_heads(encoder), shapes(2, 20), {}),
      base::UsageError);
}

}  // namespace
}  // namespace asap::test
