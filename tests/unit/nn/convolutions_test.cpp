#include "nn/convolutions.h"

#include <doctest/doctest.h>

#include "nn/transformer.h"

using namespace asap;
using namespace asap::config;

namespace {

ModelConfig small() {
  ModelConfig config;
  config.kind = ModelKind::convolutional;
  config.image_height = 9;
  config.image_width = 6;
  config.channels = 2;
  config.classes = 3;
  config.convolution = {{4, 6}, 2};
  config.width = 5;
  config.layers = 1;
  return config;
}

}  // namespace

TEST_CASE("the parameters of a convolutional network are those of its layers") {
  const nn::Transformer<float> model(small(), 1);
  const auto& entries = model.parameters().entries();
  CHECK(entries[0].name == "convolutions.0.filters");
  CHECK(entries[0].shape == tensor::Shape{4, 18});
  CHECK(entries[0].decay);
  CHECK(entries[3].name == "convolutions.0.norm.statistics");
  CHECK_FALSE(entries[3].trained);
  CHECK(model.parameters().flat()[static_cast<std::size_t>(entries[3].offset)] == 0);
  CHECK(model.parameters().flat()[static_cast<std::size_t>(entries[3].offset + 4)] == 1);
  // Filters and norms of four convolutions, a hidden layer on 2 x 1 pixels of 6 channels, a head.
  CHECK(model.parameters().parameter_count() ==
        9 * (2 * 4 + 4 * 4 + 4 * 6 + 6 * 6) + 2 * (4 + 4 + 6 + 6) + 5 * (12 + 1) + 3 * (5 + 1));
}

TEST_CASE("in training an example depends on its shard, afterwards it does not") {
  const nn::Transformer<double> model(small(), 1);
  tensor::Tensor<double> images({2, 108});
  for (std::int64_t i = 0; i < images.size(); ++i) images[i] = static_cast<double>(i % 17) - 8;
  const auto first_logit = [&](std::int64_t examples, double share) {
    autodiff::Tape<double> tape;
    tape.bind(model.parameters(), {});
    attention::AttentionEvidence evidence;
    nn::PassContext<double> pass{tape, evidence};
    pass.batch_share = share;
    return model
        .forward(pass, ModelInput<double>::of_images(images.rows().block(0, 0, examples, 108)))
        .value()
        .data[0];
  };
  CHECK(first_logit(1, 0) == first_logit(2, 0));
  CHECK(first_logit(1, 1) != first_logit(2, 1));
}
