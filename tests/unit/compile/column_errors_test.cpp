#include "compile/column_errors.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <doctest/doctest.h>

#include "attention/stored/sinkhorn_attention.h"
#include "compile/compile_heads.h"
#include "unit/compile/small_activations.h"

namespace asap::test {
namespace {

double mean(const std::vector<float>& values) {
  double total = 0;
  for (const float value : values) total += value;
  return total / static_cast<double>(values.size());
}

TEST_CASE("Measured column errors are those of the evidence, example by example") {
  const compile::Activations activations = random_activations({}, 2, 8);
  const compile::CompiledModel model = compile::compile_heads(activations, small_config(), 1);
  const compile::ResidentActivations source(activations);
  const compile::ColumnErrorsByHead held_out =
      compile::measure_column_errors(source, model.heads, {8, 4}, 1);
  const compile::ColumnErrorsByHead all =
      compile::measure_column_errors(source, model.heads, {0, 12}, 3);
  REQUIRE(held_out.size() == 2);
  for (std::size_t layer = 0; layer < 2; ++layer)
    for (std::size_t head = 0; head < 2; ++head) {
      REQUIRE(held_out[layer][head].errors.size() == 4);
      CHECK(mean(held_out[layer][head].errors) ==
            doctest::Approx(model.evidence[layer][head].column_error).epsilon(1e-3));
      CHECK(std::ranges::equal(held_out[layer][head].errors,
                               std::span(all[layer][head].errors).subspan(8)));
      CHECK(std::ranges::equal(held_out[layer][head].bounds,
                               std::span(all[layer][head].bounds).subspan(8)));
      // Float rounds what it adds up.
      for (std::size_t e = 0; e < 12; ++e)
        CHECK(all[layer][head].bounds[e] >= all[layer][head].errors[e] - 1e-5F);
      // What the operator carries: all examples, in order of size.
      std::vector<float> sorted = all[layer][head].errors, bounds = all[layer][head].bounds;
      std::ranges::sort(sorted);
      CHECK(model.heads[layer][head].column_errors.sorted == sorted);
      std::ranges::sort(bounds);
      CHECK(model.heads[layer][head].column_errors.bounds == bounds);
      CHECK(model.heads[layer][head].column_errors.teacher ==
            doctest::Approx(model.evidence[layer][head].teacher_column_error));
    }
}

TEST_CASE("Of a relaxed loop the largest column error of softmax's plans is measured, too") {
  const compile::Activations activations = random_activations({}, 2, 8);
  compile::CompileConfig config = small_config();
  config.features = {"start", "it:2"};
  const compile::CompiledModel model = compile::compile_heads(activations, config, 1);
  tensor::Arena arena;
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const attention::AttentionBatch<float> batch = activations.batch(static_cast<int>(layer));
    for (std::int64_t h = 0; h < 2; ++h) {
      const attention::CompiledHead& head = model.heads[layer][static_cast<std::size_t>(h)];
      double largest = 0;
      for (std::int64_t e = 0; e < 12; ++e) {
        const tensor::ArenaScope scope(arena);
        tensor::Tensor<float> output({14, 6});
        const attention::AttentionHead<float> inputs =
            head.inputs(batch.head_queries(e, h), batch.head_keys(e, h), batch.head_values(e, h));
        largest = std::max<double>(
            largest,
            attention::sinkhorn_attention<float>(inputs, 0, output.rows(), arena).column_error);
      }
      CHECK(head.column_errors.largest_start == doctest::Approx(largest).epsilon(1e-5));
    }
  }
  config.features = {"lse", "lse0", "it:1"};
  for (const auto& layer : compile::compile_heads(activations, config, 1).heads)
    for (const attention::CompiledHead& head : layer)
      CHECK(std::isinf(head.column_errors.largest_start));
}

TEST_CASE("Examples without live tokens have no column error") {
  compile::Activations activations = random_activations({}, 1, 8);
  const compile::CompiledModel model = compile::compile_heads(activations, small_config(), 1);
  activations.live_queries = std::vector<std::int32_t>(12, 14);
  activations.live_keys = std::vector<std::int32_t>(12, 10);
  activations.live_keys[3] = 0;
  const compile::ColumnErrorsByHead errors = compile::measure_column_errors(
      compile::ResidentActivations(activations), model.heads, {0, 12}, 2);
  CHECK(errors[0][0].errors.size() == 11);
  CHECK(errors[0][0].bounds.size() == 11);
}

}  // namespace
}  // namespace asap::test
