#include "evaluate/study/head_study.h"

#include <doctest/doctest.h>

#include "evaluate/compare/evaluated_run.h"
#include "support/random_encoder.h"

using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::test;

TEST_CASE("without an operator the study still follows Sinkhorn's column errors") {
  const EvaluatedRun run{
      random_encoder(4), std::nullopt, draw_shapes_dataset(small_data(), Split::test), {}, ""};
  const NetworkStudy study = study_heads(run, {.examples = 3, .iterations = 5}, 2);
  CHECK(study.examples == 3);
  REQUIRE(study.heads.size() == 2);
  const HeadStudy& head = study.heads[1][1];
  REQUIRE(head.column_errors.size() == 6);
  for (std::size_t t = 1; t < 6; ++t) CHECK(head.column_errors[t] < head.column_errors[t - 1]);
  CHECK(head.target.empty());
  CHECK(study_heads(run, {.work = 100}, 1).heads.empty());
}
