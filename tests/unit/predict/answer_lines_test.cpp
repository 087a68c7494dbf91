#include "predict/answer_lines.h"

#include <limits>

#include <doctest/doctest.h>

#include "io/delimited.h"
#include "io/json.h"

using namespace asap::data;
using namespace asap::io;
using namespace asap::predict;

namespace {

const std::vector<std::string> kNames = {"plain", "with, comma", "with \"quotes\""};

/// Two examples, the second with a label.
struct Case {
  Examples examples;
  Answers answers;

  Case() {
    examples.ids = {"1", "a,b"};
    examples.labels = {kNotScored, 2};
    answers.logits = asap::tensor::Tensor<float>({2, 3});
    const std::vector<float> logits = {1, 3, 2, 5, 5, -1};
    std::copy(logits.begin(), logits.end(), answers.logits.data());
  }
};

}  // namespace

TEST_CASE("probabilities are the softmax of the logits, however large") {
  const std::vector<float> logits = {1000, 1000, -std::numeric_limits<float>::max()};
  const std::vector<float> probabilities = class_probabilities(logits);
  CHECK(probabilities[0] == 0.5f);
  CHECK(probabilities[1] == 0.5f);
  CHECK(probabilities[2] == 0);
}

TEST_CASE("classes are ranked by their logits, the first of equal ones first") {
  const std::vector<float> logits = {2, 5, 5, -1};
  CHECK(top_classes(logits, 3) == std::vector<std::int32_t>{1, 2, 0});
  CHECK(top_classes(logits, 9) == std::vector<std::int32_t>{1, 2, 0, 3});
}

TEST_CASE("lines of CSV read back, whatever is in names and identifiers") {
  const Case given;
  const AnswerFormat format{&kNames, 2, true};
  std::string text = csv_header(format, false);
  for (const std::int64_t i : {0, 1}) text += csv_lines(format, given.examples, given.answers, i);
  const DelimitedRows rows = parse_delimited(text, {}, "predictions.csv");
  REQUIRE(rows.rows() == 3);
  REQUIRE(rows.columns() == 6);
  CHECK(rows.field(0, 4) == "class_2");
  CHECK(rows.field(1, 1) == "");
  CHECK(rows.field(1, 2) == "with, comma");
  CHECK(rows.field(2, 0) == "a,b");
  CHECK(rows.field(2, 1) == "with \"quotes\"");
  CHECK(rows.field(2, 2) == "plain");
  const float expected = class_probabilities(given.answers.logits.rows().row(0))[1];
  CHECK(std::stof(std::string(rows.field(1, 3))) == expected);
}

TEST_CASE("lines of JSON hold the same") {
  Case given;
  const AnswerFormat format{&kNames, 2, true};
  const Json first = Json::parse(json_line(format, given.examples, given.answers, 0));
  CHECK(first["id"] == "1");
  CHECK_FALSE(first.contains("label"));
  CHECK(first["class"] == "with, comma");
  CHECK(first["top"][1]["class"] == "with \"quotes\"");
  CHECK(first["top"][0]["probability"] == first["probability"]);
  given.answers.certificates = {{0.5, 0.75, 3}, {0, 0, std::nullopt}};
  const Json second = Json::parse(json_line({&kNames, 1, true}, given.examples, given.answers, 0));
  CHECK(second["largest_column_error"] == 0.75);
  CHECK(second["unusual_heads"] == 3);
  CHECK_FALSE(second.contains("top"));
  CHECK(Json::parse(json_line(format, given.examples, given.answers, 1))["label"] == kNames[2]);
}
