#include "infer/convolutions.h"

#include <cmath>

#include <doctest/doctest.h>

#include "data/batch.h"
#include "infer/encoder.h"
#include "nn/transformer.h"
#include "support/expect_error.h"
#include "support/random_heads.h"
#include "support/small_convolutions.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Weights and statistics far from their first values; variances stay positive.
void vary(ParameterStore<float>& parameters) {
  RandomStream random(5, RandomPurpose::test);
  for (const auto& entry : parameters.entries())
    for (std::int64_t i = 0; i < entry.shape.size(); ++i)
      parameters.flat()[static_cast<std::size_t>(entry.offset + i)] +=
          static_cast<float>(0.2 * std::abs(random.normal()));
}

struct Networks : ConvolutionalTraining {
  Transformer<float> model{config.model, 1};
  Batch batch;

  Networks() {
    vary(model.parameters());
    batch.fill(train_data, std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6});
  }
  TensorFile weights() const { return asap::train::export_parameters(model.parameters()); }
  Tensor<float> logits(const Encoder& encoder, const ModelInput<float>& input) const {
    Tensor<float> out({input.examples, config.model.classes});
    Arena arena;
    encoder.forward(input, *encoder.teacher(), out.rows(), arena);
    return out;
  }
};

}  // namespace

TEST_CASE("with folded norms the network computes what the tape does with running statistics") {
  Networks f;
  f.model.release_regions(true);
  Tape<float> tape;
  tape.bind(f.model.parameters(), {});
  AttentionEvidence evidence;
  PassContext<float> pass{tape, evidence};
  const Var<float> expected = f.model.forward(pass, f.batch.input());
  const Encoder encoder(f.config.model, f.weights(), "");
  const Tensor<float> logits = f.logits(encoder, f.batch.input());
  for (std::int64_t i = 0; i < logits.size(); ++i)
    CHECK(std::abs(logits[i] - expected.value().data[i]) <
          1e-4 * (1 + std::abs(expected.value().data[i])));
}

TEST_CASE("an image has the same logits, to the last bit, alone and among others") {
  const Networks f;
  const Encoder encoder(f.config.model, f.weights(), "");
  const Tensor<float> all = f.logits(encoder, f.batch.input());
  Batch alone;
  alone.fill(f.train_data, std::vector<std::int64_t>{4});
  const Tensor<float> one = f.logits(encoder, alone.input());
  for (std::int64_t c = 0; c < one.size(); ++c) CHECK(one[c] == all.rows()(4, c));
}

TEST_CASE("a checkpoint of other channels is refused by the tensor's name") {
  Networks f;
  const TensorFile weights = f.weights();
  f.config.model.convolution.channels[1] = 6;
  expect_error<DataError>([&] { asap::infer::Convolutions(f.config.model, weights); },
                          {"convolutions.2.filters"});
}

TEST_CASE("a convolutional network has no attention and says so") {
  const Networks f;
  const Encoder encoder(f.config.model, f.weights(), "");
  expect_error<UsageError>([&] { encoder.require_attention("--run x"); },
                           {"model.kind convolutional has no attention"});
}
