#include "data/model_fit.h"

#include <doctest/doctest.h>

#include "data/dataset.h"
#include "support/expect_error.h"
#include "support/small_sequences.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

namespace {

ModelConfig model_of(ModelKind kind) {
  ModelConfig config;
  config.kind = kind;
  return config;
}

}  // namespace

TEST_CASE("sizes that are left out come from the data") {
  const ModelConfig text =
      fit_model_to_data(model_of(ModelKind::text), small_sequences(ModelKind::text, {3, 6}), "run");
  CHECK(text.vocabulary == 10);
  CHECK(text.max_tokens == 6);
  CHECK(text.classes == 2);
  CHECK(text.tokens() == 6);
  const ModelConfig set =
      fit_model_to_data(model_of(ModelKind::set), small_sequences(ModelKind::set, {3}), "run");
  CHECK(set.point_width == 2);
  CHECK_FALSE(set.has_positions());
}

TEST_CASE("a bound that loading put on lengths makes room for longer test data") {
  Dataset data = small_sequences(ModelKind::text, {3, 6});
  data.max_tokens = 20;
  CHECK(fit_model_to_data(model_of(ModelKind::text), data, "run").max_tokens == 20);
}

TEST_CASE("a model of another kind than the data is refused with the kind that fits") {
  expect_error<UsageError>(
      [] { fit_model_to_data({}, small_sequences(ModelKind::text, {3}), "run.json"); },
      {"run.json", "model.kind is vit", "sequences holds texts", "--set model.kind=text"});
  expect_error<UsageError>(
      [] {
        fit_model_to_data(model_of(ModelKind::text), small_sequences(ModelKind::set, {3}), "run");
      },
      {"point sets", "--set model.kind=set"});
}

TEST_CASE("pooling must fit the labels") {
  expect_error<UsageError>(
      [] {
        fit_model_to_data(model_of(ModelKind::text), small_sequences(ModelKind::text, {3}, true),
                          "run");
      },
      {"label for every token", "--set model.pooling=none"});
  ModelConfig config = model_of(ModelKind::text);
  config.pooling = Pooling::none;
  expect_error<UsageError>(
      [&] { fit_model_to_data(config, small_sequences(ModelKind::text, {3}), "run"); },
      {"label for every example", "--set model.pooling=mean"});
}

TEST_CASE("examples longer than there are positions are refused, and taken without positions") {
  ModelConfig config = model_of(ModelKind::text);
  config.max_tokens = 4;
  const Dataset data = small_sequences(ModelKind::text, {3, 5});
  expect_error<UsageError>([&] { fit_model_to_data(config, data, "run"); },
                           {"model.max_tokens is 4", "has 5 tokens", "model.positions=none"});
  config.positions = Positions::none;
  CHECK_NOTHROW(fit_model_to_data(config, data, "run"));
}

TEST_CASE("another vocabulary than the model's is refused") {
  ModelConfig config = model_of(ModelKind::text);
  config.vocabulary = 11;
  expect_error<UsageError>(
      [&] { fit_model_to_data(config, small_sequences(ModelKind::text, {3}), "run"); },
      {"model.vocabulary is 11", "has 10"});
}

TEST_CASE("a model is described by what it reads") {
  ModelConfig text = model_of(ModelKind::text);
  text.vocabulary = 8000, text.max_tokens = 64, text.attention.kind = AttentionKind::softmax;
  CHECK(describe_model(text) ==
        "text Transformer, 3 layers, width 64, 2 heads, 8,000 token ids, up to 64 tokens, softmax "
        "attention");
  ModelConfig set = model_of(ModelKind::set);
  set.point_width = 3, set.point_frequencies = 1, set.attention.kind = AttentionKind::softmax;
  CHECK(describe_model(set) ==
        "set Transformer, 3 layers, width 64, 2 heads, points of 3 numbers and 1 frequency, "
        "softmax attention");
}
