#include "evaluate/compare/guard.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/expect_error.h"
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
    for (auto& head : layer) head.column_errors = {.sorted = {0.5F}, .teacher = 0.25F};
  CHECK_NOTHROW(evaluate::make_guarded({evaluate::MethodKind::warm}, &heads));
  // An operator of an earlier version has column errors, but no bounds.
  CHECK_THROWS_AS(evaluate::make_guarded({evaluate::MethodKind::guarded}, &heads),
                  base::UsageError);
  for (auto& layer : heads)
    for (auto& head : layer) head.column_errors.bounds = {0.5F};
  CHECK_NOTHROW(evaluate::make_guarded({evaluate::MethodKind::guarded}, &heads));
  // Compiling again gives no column errors to attention with slack.
  heads[1][0].slack = 1;
  expect_error<base::UsageError>(
      [&] { evaluate::make_guarded({evaluate::MethodKind::guarded}, &heads); },
      {"attention with slack"});
}

TEST_CASE("Only a converged teacher is met by iterations of the map, every other by its own loop") {
  const data::Dataset dataset = data::draw_shapes_dataset(small_data(), data::Split::test);
  const infer::Encoder encoder = random_encoder(4);
  evaluate::CompiledHeads heads = evaluate::zero_dual_heads(encoder);
  for (auto& layer : heads)
    for (auto& head : layer) {
      head.column_errors = {.sorted = {0.5F}, .teacher = 0.25F};
      head.teacher_iterations = 4;
    }
  heads[0][0].column_errors.teacher = 1e-4F;
  using Rule = attention::HeadGuard::Rule;
  const auto guarded = evaluate::make_guarded({evaluate::MethodKind::warm}, &heads);
  CHECK(guarded->guards()[0][0].rule == Rule::warm);
  CHECK(guarded->guards()[1][0].rule == Rule::loop);
  heads[0][0].mode = attention::CompiledMode::sinkhorn;
  heads[0][0].iterations = 2;
  CHECK(evaluate::make_guarded({evaluate::MethodKind::warm}, &heads)->guards()[0][0].rule ==
        Rule::loop);
  const std::vector<std::string> names = {"warm"};
  const evaluate::Comparison comparison = evaluate::compare_methods(
      encoder, &heads, dataset, {evaluate::parse_methods(names, 2), 1, 10});
  CHECK(comparison.methods[0].agreement == 1);
  CHECK(comparison.methods[0].plan_l1 < 1e-6);
  CHECK(comparison.methods[0].guard->loops == 4);
  CHECK(comparison.methods[0].guard->network_heads == 4);
}

TEST_CASE("A guard that every head trips is the teacher") {
  const data::Dataset dataset = data::draw_shapes_dataset(small_data(), data::Split::test);
  const infer::Encoder encoder = random_encoder(4);
  evaluate::CompiledHeads heads = evaluate::zero_dual_heads(encoder);
  for (auto& layer : heads)
    for (auto& head : layer) {
      head.column_errors = {.sorted = {0}, .bounds = {0}, .teacher = 0};
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
