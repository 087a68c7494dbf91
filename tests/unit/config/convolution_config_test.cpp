#include "config/convolution_config.h"

#include <doctest/doctest.h>

#include "config/model_config.h"
#include "support/expect_error.h"

using namespace asap;
using namespace asap::config;
using namespace asap::test;

namespace {

ModelConfig convolutional() {
  ModelConfig config;
  config.kind = ModelKind::convolutional;
  config.image_height = 32;
  config.image_width = 24;
  config.channels = 3;
  config.classes = 10;
  return config;
}

}  // namespace

TEST_CASE("a convolutional network is described by its blocks, and knows what its head reads") {
  ModelConfig config = convolutional();
  CHECK_NOTHROW(config.validate_complete("a.json"));
  CHECK(config.hidden_inputs() == 128 * 4 * 3);
  CHECK_FALSE(config.has_attention());
  CHECK(config.reads_images());
  CHECK(describe_model(config).find("2 convolutions in each block of 32, 64, 128 channels") !=
        std::string::npos);
  set_field(config, "convolution.channels=[8]");
  CHECK(config.hidden_inputs() == 8 * 16 * 12);
}

TEST_CASE("convolutions that do not fit the image are refused by field") {
  ModelConfig config = convolutional();
  config.image_width = 7;
  expect_error<base::UsageError>(
      [&] { config.validate("a.json"); },
      {"a.json", "model.image_width is 7", "model.convolution.channels"});
  config = convolutional();
  config.convolution.channels.clear();
  expect_error<base::UsageError>([&] { config.validate("a.json"); },
                                 {"model.convolution.channels names no block"});
  config.convolution.channels.assign(17, 8);
  expect_error<base::UsageError>([&] { config.validate("a.json"); }, {"17 blocks"});
  config = convolutional();
  config.pooling = Pooling::class_token;
  expect_error<base::UsageError>([&] { config.validate("a.json"); },
                                 {"model.kind convolutional has no tokens to pool"});
  expect_error<base::UsageError>([&] { set_field(config, "convolution.channels=[0]"); },
                                 {"convolution.channels"});
}
