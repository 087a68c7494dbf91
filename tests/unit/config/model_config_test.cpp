#include "config/model_config.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::test;

TEST_CASE("a complete model knows its sizes") {
  ModelConfig model;
  expect_error<UsageError>([&] { model.validate_complete("x"); }, {"model.image_height is 0"});
  model.image_height = 28;
  model.image_width = 20;
  model.channels = 3;
  model.classes = 10;
  CHECK_NOTHROW(model.validate_complete("x"));
  CHECK(model.patches() == 35);
  CHECK(model.tokens() == 35);
  CHECK(model.patch_size() == 48);
  CHECK(model.image_size() == 1680);
  CHECK(model.hidden_width() == 128);
  model.pooling = Pooling::class_token;
  CHECK(model.tokens() == 36);
}

TEST_CASE("a separator is a token id of texts") {
  ModelConfig model;
  CHECK_FALSE(model.has_segments());
  model.separator = 5;
  expect_error<UsageError>([&] { model.validate("x"); }, {"model.separator", "vit"});
  model.kind = ModelKind::text;
  CHECK(model.has_segments());
  CHECK_NOTHROW(model.validate("x"));
  model.vocabulary = 5;
  expect_error<UsageError>([&] { model.validate("x"); }, {"model.separator is 5", "5 token ids"});
}

TEST_CASE("the precision of products belongs to encoder layers, and the description names it") {
  ModelConfig model;
  CHECK(describe_model(model).find("bfloat16") == std::string::npos);
  model.product_precision = asap::tensor::ProductPrecision::bfloat16;
  CHECK_NOTHROW(model.validate("x"));
  CHECK(describe_model(model).ends_with(", bfloat16"));
  for (const ModelKind kind : {ModelKind::mlp, ModelKind::convolutional}) {
    model.kind = kind;
    expect_error<UsageError>([&] { model.validate("x"); }, {"model.product_precision", "layers"});
  }
}
