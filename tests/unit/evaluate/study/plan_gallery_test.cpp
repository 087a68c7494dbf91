#include "evaluate/study/plan_gallery.h"

#include <doctest/doctest.h>

#include "support/compared_methods.h"
#include "support/random_encoder.h"

using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("a coarser plan holds the means of its cells, also of the smaller ones at its end") {
  Tensor<float> plan({3, 3});
  for (std::int64_t i = 0; i < 9; ++i) plan[i] = static_cast<float>(i);
  const Tensor<float> coarse = coarser_plan(plan.rows(), 2);
  REQUIRE(coarse.shape() == Shape{2, 2});
  CHECK(coarse[0] == 2);    // of 0, 1, 3, 4
  CHECK(coarse[1] == 3.5);  // of 2, 5
  CHECK(coarse[2] == 6.5);  // of 6, 7
  CHECK(coarse[3] == 8);
}

TEST_CASE("shown examples are of several classes, and those classified differently come last") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  Comparison comparison = compared(dataset, {"teacher", "softmax"});
  const std::vector<std::int64_t> ordinary = choose_examples(dataset, comparison, 3);
  REQUIRE(ordinary.size() == 3);
  CHECK(dataset.labels[ordinary[0]] != dataset.labels[ordinary[1]]);
  comparison.methods[1].name = "compiled";
  comparison.methods[1].predictions = comparison.teacher_predictions;
  CHECK(choose_examples(dataset, comparison, 3) == ordinary);
  comparison.methods[1].predictions[30] ^= 1;
  const std::vector<std::int64_t> chosen = choose_examples(dataset, comparison, 3);
  CHECK(chosen.back() == 30);
  CHECK(chosen.size() == 3);
}

TEST_CASE("the truncation that is shown is the one of equal latency, else the longest") {
  std::vector<MethodResult> methods(4);
  methods[0].name = "teacher";
  methods[1].name = "sinkhorn:12";
  methods[2].name = "sinkhorn:3";
  methods[3].name = "sinkhorn:50@0";
  CHECK(shown_truncation(methods) == 1);
  methods[2].equal_latency = true;
  CHECK(shown_truncation(methods) == 2);
  methods.resize(1);
  CHECK(shown_truncation(methods) == -1);
}

TEST_CASE("plans that are too much for a page become coarser, and fewer methods are shown") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Comparison comparison = compared(dataset, {"softmax", "sinkhorn:1", "sinkhorn:2", "f0"});
  const PlanGallery gallery = collect_plans(random_encoder(4), nullptr, dataset, comparison,
                                            {.examples = 6, .cells = 1100});
  CHECK(gallery.methods == std::vector<std::string>{"teacher", "sinkhorn:2"});
  CHECK(gallery.examples.size() == 2);
  CHECK(gallery.examples[0].cell == 2);
  CHECK(gallery.examples[0].plans[1][0].shape() == Shape{8, 8});
}
