#include "infer/scorer.h"

#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "config/model_input.h"
#include "tensor/core/tensor.h"

using namespace asap;

TEST_CASE("the predicted class has the largest logit, the first of equal ones") {
  const std::vector<float> logits = {-1, 3, 0.5, 3};
  CHECK(infer::predicted_class(logits) == 1);
}

TEST_CASE("only scored labels count") {
  tensor::Tensor<float> logits({4, 2});
  for (std::int64_t i = 0; i < 4; ++i) logits.rows()(i, i % 2) = 1;  // predicts 0, 1, 0, 1
  const std::vector<std::int32_t> labels = {0, 0, config::kNotScored, 1};
  const infer::Score score = infer::score_predictions(logits.rows(), labels);
  CHECK(score.scored == 3);
  CHECK(score.correct == 2);
  CHECK(score.accuracy() == doctest::Approx(2.0 / 3));
}

TEST_CASE("scores of parts add up, and no labels give an accuracy of 0") {
  infer::Score total;
  CHECK(total.accuracy() == 0);
  total += {.scored = 3, .correct = 1};
  total += {.scored = 1, .correct = 1};
  CHECK(total.accuracy() == 0.5);
}

TEST_CASE("a label is needed for every row") {
  const tensor::Tensor<float> logits({2, 3});
  const std::vector<std::int32_t> labels = {0};
  CHECK_THROWS_AS(infer::score_predictions(logits.rows(), labels), base::InternalError);
}
