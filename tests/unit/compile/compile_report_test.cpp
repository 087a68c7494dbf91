#include "compile/compile_report.h"

#include <doctest/doctest.h>

namespace asap::test {
namespace {

bool says(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE(
    "Notes name the heads that are far from their teacher or from converged, and what to do") {
  compile::CompiledModel model;
  model.evidence = {std::vector<compile::HeadEvidence>(2), std::vector<compile::HeadEvidence>(2)};
  model.heads = {std::vector<attention::CompiledHead>(2), std::vector<attention::CompiledHead>(2)};
  CHECK(compile::compile_notes(model, 10).empty());
  model.evidence[0][1].plan_l1 = 0.7;
  model.evidence[1][0].teacher_column_error = 0.42;
  model.config.features = {"auto"};
  std::vector<std::string> notes = compile::compile_notes(model, 10);
  REQUIRE(notes.size() == 2);
  CHECK(says(notes[0], "layer 0, head 1: the plan is far from the teacher's (plan L1 0.70)"));
  CHECK(says(notes[0], "error=0.01"));
  CHECK(says(notes[1], "layer 1, head 0: the teacher is far from converged (column error 0.42"));
  CHECK(says(notes[1], "after 10 iterations"));
  CHECK(says(notes[1], "larger epsilon"));
  model.config.features = {"lse"};
  const auto first = [&] { return compile::compile_notes(model, 10)[0]; };
  CHECK(says(first(), "features=lse,lse0,landmarks:32,it:4"));
  model.heads[0][1].slack = 1;  // goes without landmarks
  CHECK(says(first(), "features=lse,lse0,it:4"));
  model.config.objective = compile::DualObjective::kl;
  CHECK(says(first(), "objective=ridge with features=auto"));
  model.config.objective = compile::DualObjective::ridge;
  model.config.mode = attention::CompiledMode::key_bias;
  CHECK(says(first(), "features=gau,lin,tilt,landmarks:64"));
  model.config.features = {"auto"};
  model.config.budget = 0.95;  // excludes an error
  CHECK(says(first(), "budget=1.9"));
  model.config.budget = 0;
  model.config.error = 0.003;
  CHECK(says(first(), "error=0.001"));
}

}  // namespace
}  // namespace asap::test
