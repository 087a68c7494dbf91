#include "config/train_config.h"

#include <filesystem>
#include <limits>

#include <doctest/doctest.h>

#include "config/matcher_config.h"
#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::io;
using namespace asap::test;

namespace {

TrainConfig with(std::initializer_list<const char*> assignments) {
  TrainConfig config;
  for (const char* assignment : assignments) set_field(config, assignment);
  return config;
}

void expect_invalid(std::initializer_list<const char*> assignments,
                    std::initializer_list<const char*> parts) {
  expect_error<UsageError>([&] { with(assignments).validate("run.json"); }, parts);
}

}  // namespace

TEST_CASE("the default training configuration is valid and survives JSON") {
  const TrainConfig config;
  CHECK_NOTHROW(config.validate("defaults"));
  TrainConfig back = with({"train.epochs=9", "model.width=8", "seed=5"});
  from_json(to_json(config), back, "text");
  CHECK(to_json(back) == to_json(config));
}

TEST_CASE("every shipped training configuration is valid") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ASAP_SOURCE_DIR "/configs/train")) {
    ++count;
    const Json json = read_json(entry.path());
    const auto check = [&](auto config) {
      from_json(json, config, entry.path().string());
      CHECK_NOTHROW(config.validate(entry.path().string()));
    };
    if (is_matcher(json))
      check(MatcherTrainConfig{});
    else
      check(TrainConfig{});
  }
  CHECK(count >= 3);
}

TEST_CASE("values outside their range are refused by field name") {
  expect_invalid({"model.attention.iterations=-1"}, {"model.attention.iterations", "-1"});
  expect_invalid({"model.attention.epsilon=0"}, {"model.attention.epsilon", "above 0"});
  expect_invalid({"train.epochs=0"}, {"train.epochs", "0"});
  expect_invalid({"train.learning_rate=-1"}, {"train.learning_rate"});
  expect_invalid({"train.beta1=1"}, {"train.beta1"});
  expect_invalid({"train.batch=0"}, {"train.batch"});
  expect_invalid({"model.dropout=1"}, {"model.dropout"});
  expect_invalid({"data.classes=1"}, {"data.classes"});
  expect_invalid({"data.pixel_deviation=0"}, {"data.pixel_deviation"});
  expect_invalid({"data.shapes.image_size=2"}, {"data.shapes.image_size"});
}

TEST_CASE("values that code has put in are checked against the same ranges") {
  TrainConfig config;
  config.model.attention.iterations = -2;
  expect_error<UsageError>([&] { config.validate("x"); }, {"model.attention.iterations", "-2"});
  config = {};
  config.train.learning_rate = std::numeric_limits<double>::quiet_NaN();
  expect_error<UsageError>([&] { config.validate("x"); }, {"train.learning_rate", "got nan"});
}

TEST_CASE("fields that do not fit each other are refused with both values") {
  expect_invalid({"model.width=65"}, {"run.json", "model.width (65)", "model.heads (2)", "66"});
  expect_invalid({"model.image_height=28", "model.patch=5"},
                 {"model.patch (5)", "model.image_height (28)"});
  expect_invalid({"model.image_width=30"}, {"model.patch (4)", "model.image_width (30)"});
  expect_invalid({"train.batch=4"}, {"train.shard (8)", "train.batch (4)"});
  expect_invalid({"model.width=2", "model.mlp_ratio=0.1"}, {"model.mlp_ratio"});
  expect_invalid({"data.name=", "data.path="}, {"data.path"});
  expect_invalid({"model.attention.kind=differential", "model.width=66"}, {"even", "33"});
  expect_invalid({"model.attention.kind=espformer", "model.attention.slices=40"},
                 {"model.attention.slices (40)", "32", "0"});
}

TEST_CASE("texts in one file need data.test_fraction, in two files both names") {
  expect_invalid({"data.kind=text", "data.text.train_file=a.csv"},
                 {"data.text.test_file", "data.test_fraction=0.2"});
  expect_invalid({"data.kind=text", "data.text.test_file=a.csv"}, {"data.text.train_file"});
  expect_invalid({"data.test_fraction=0.95"}, {"data.test_fraction", "0.95"});
  CHECK_NOTHROW(with({"data.kind=text", "data.text.train_file=a.csv", "data.test_fraction=0.5"})
                    .validate(""));
}

TEST_CASE("an unknown attention kind is refused with the known ones") {
  expect_invalid({"model.attention.kind=sinkhron"},
                 {"softmax, sinkhorn", "did you mean 'sinkhorn'"});
}
