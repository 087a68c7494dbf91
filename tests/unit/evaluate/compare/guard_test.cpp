#include "evaluate/compare/guard.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/random_encoder.h"

namespace asap::test {
namespace {

TEST_CASE("A guard needs an operator with column errors") {
  const infer::Encoder encoder = random_encoder(4);
  evaluate::CompiledHeads heads = evaluate::zero_dual_heads(encoder);
  for (const evaluate::MethodKind kind :
       {evaluate::MethodKind::guarded, evaluate::MethodKind::warm}) {
    CHECK_THROWS_AS(evaluate::make_guarded({kind}, nullptr), base::UsageError);
    CHECK_THROWS_AS(evaluate::make_guarded({kind}, &heads), base::UsageError);
  }
  for (auto& layer : heads)
    for (auto& head : layer) head.column_errors = {{0.5F}, 0.25F};
  CHECK_NOTHROW(evaluate::make_guarded({evaluate::MethodKind::guarded}, &heads));
}

TEST_CASE("A guard that every head trips is the teacher") {
  const data::Dataset dataset = data::draw_shapes_dataset(small_data(), data::Split::test);
  const infer::Encoder encoder = random_encoder(4);
  evaluate::CompiledHeads heads = evaluate::zero_dual_heads(encoder);
  for (auto& layer : heads)
    for (auto& head : layer) {
      head.column_errors = {{0}, 0};
      head.teacher_iterations = 4;
    }
  const std::vector<std::string> names = {"guarded"};
  const evaluate::Comparison comparison = evaluate::compare_methods(
      encoder, &heads, dataset, {evaluate::parse_methods(names, 2), 1, 10});
  CHECK(comparison.methods[0].agreement == 1);
  CHECK(comparison.methods[0].plan_l1 < 1e-4);
  CHECK(comparison.methods[0].guard->share() == 1);
  CHECK(comparison.methods[0].guard->mean_iterations() == 4);
}

}  // namespace
}  // namespace asap::test
