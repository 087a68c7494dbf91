#include "compile/cost/cost_model.h"

#include <string>

#include <doctest/doctest.h>

namespace asap::test {
namespace {

constexpr double kCache = 1 << 20;
constexpr compile::HeadShape kShape{32, 64, 8, 4};

double quantity(const compile::OperatorForm& form, std::string_view step, std::string_view name,
                const compile::HeadShape& shape = kShape) {
  const compile::CostVector all = compile::cost_quantities(form, shape, kCache);
  for (std::size_t c = 0; c < all.size(); ++c)
    if (compile::kCostColumns[c].step == step && compile::kCostColumns[c].quantity == name)
      return all[c];
  FAIL("no column " << std::string(step) << "." << std::string(name));
  return 0;
}

compile::OperatorForm map(attention::DualFeatures features) {
  return {.features = features, .slices = 3, .teacher_iterations = 5};
}

TEST_CASE("The quantities of a form are those of its steps") {
  using compile::OperatorForm;
  CHECK(quantity(OperatorForm::softmax(), "softmax", "call") == 1);
  CHECK(quantity(OperatorForm::softmax(), "softmax", "entries") == 32 * 64);
  CHECK(quantity(OperatorForm::softmax(), "softmax", "products") == 32 * 64 * 12);
  CHECK(quantity(OperatorForm::softmax(), "loop", "call") == 0);
  CHECK(quantity(OperatorForm::sinkhorn(7), "loop", "call") == 1);
  CHECK(quantity(OperatorForm::sinkhorn(7), "iteration", "entries") == 7 * 32 * 64);
  attention::DualFeatures features = attention::DualFeatures::none();
  features.linear = true;
  CHECK(quantity(map(features), "one_pass", "tokens") == (32 + 64) * 8);
  CHECK(quantity(map(features), "slices", "products") == 3 * (32 + 64) * 8);
  CHECK(quantity(map(features), "sorts", "comparisons") == 0);
  features.potential = true;
  CHECK(quantity(map(features), "sorts", "comparisons") == 3 * (32 * 5 + 64 * 6));
  features.landmarks = 16;
  CHECK(quantity(map(features), "landmarks", "products") == (32 + 64) * 8 * 16);
  CHECK(quantity(map(features), "landmarks", "entries") == 32 * 16 * 5);
  features.first_dual = true;
  features.corrections = 2;
  CHECK(quantity(map(features), "one_pass", "call") == 0);
  CHECK(quantity(map(features), "two_passes", "call") == 1);
  CHECK(quantity(map(features), "sweep", "entries") == 2 * 32 * 64);
  CHECK(quantity(map(features), "dual", "call") == 3);
  CHECK(quantity(map(features), "dual", "rows") == 3 * 32);
  compile::OperatorForm bias = map(attention::DualFeatures::none());
  bias.mode = attention::CompiledMode::key_bias;
  CHECK(quantity(bias, "one_pass", "call") == 1);
  CHECK(quantity(bias, "softmax", "call") == 0);
  bias.precision = attention::ProductPrecision::bfloat16;
  CHECK(quantity(bias, "one_pass_bf16", "entries") == 32 * 64);
}

TEST_CASE("A loop of short rows that relaxes its iterations costs logarithms more than the loop") {
  attention::DualFeatures features = attention::DualFeatures::none();
  features.start = true;
  features.corrections = 2;
  const compile::HeadShape shape{49, 49, 8, 8};
  for (const char* step : {"loop", "iteration"})
    CHECK(quantity(map(features), step, "entries", shape) ==
          quantity(compile::OperatorForm::sinkhorn(3), step, "entries", shape));
  CHECK(quantity(map(features), "dual", "rows", shape) == 0.5 * 49);
  CHECK(quantity(compile::OperatorForm::sinkhorn(3), "dual", "rows", shape) == 0);
  // Longer ones are maps in tiles.
  CHECK(quantity(map(features), "two_passes", "call", {512, 512, 8, 8}) == 1);
  CHECK(quantity(map(features), "dual", "call", {512, 512, 8, 8}) == 2);
}

TEST_CASE("What a cache cannot keep is spilled, and what is recomputed has no iterations") {
  const compile::OperatorForm loop = compile::OperatorForm::sinkhorn(3);
  CHECK(quantity(loop, "iteration", "spilled") == 0);
  // 1024 x 1024 floats are four times the cache.
  CHECK(quantity(loop, "iteration", "spilled", {1024, 1024, 8, 8}) ==
        doctest::Approx(3 * 0.75 * 1024 * 1024));
  const compile::HeadShape huge{8192, 8192, 8, 8};
  CHECK(quantity(loop, "iteration", "entries", huge) == 0);
  CHECK(quantity(loop, "softmax", "entries", huge) == 3.0 * 8192 * 8192);
}

TEST_CASE("Rows that do not fill their last vector are counted") {
  const compile::OperatorForm loop = compile::OperatorForm::sinkhorn(3);
  CHECK(quantity(loop, "loop", "tails", {49, 48, 8, 8}) == 0);
  CHECK(quantity(loop, "loop", "tails", {48, 49, 8, 8}) == 48);
  CHECK(quantity(loop, "loop", "entries", {48, 49, 8, 8}) == 48 * 64);
}

TEST_CASE("Tiles are padded to whole groups of rows, the stored loop is not") {
  const compile::HeadShape shape{49, 49, 8, 8};
  CHECK(quantity(compile::OperatorForm::sinkhorn(3), "loop", "entries", shape) == 49 * 64);
  CHECK(quantity(compile::OperatorForm::sinkhorn(3), "iteration", "entries", shape) == 3 * 49 * 64);
  CHECK(quantity(compile::OperatorForm::softmax(), "softmax", "entries", shape) == 56 * 64);
}

}  // namespace
}  // namespace asap::test
