#include <cmath>

#include <doctest/doctest.h>

#include "attention/interface/trainable_attention.h"
#include "infer/encoder.h"
#include "nn/transformer.h"
#include "support/kind_case.h"
#include "train/checkpoint.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::config;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::train;
using namespace asap::test;

TEST_CASE("networks of every kind compute at inference what they compute in training") {
  for (const AttentionKind kind :
       {AttentionKind::softmax, AttentionKind::sinkhorn, AttentionKind::sinkformer,
        AttentionKind::espformer, AttentionKind::lotformer, AttentionKind::differential}) {
    ModelConfig config;
    config.image_height = config.image_width = 8;
    config.channels = 1;
    config.classes = 4;
    config.patch = 2;
    config.width = 16;
    config.layers = 2;
    config.attention.kind = kind;
    config.attention.learn_epsilon = true;
    config.attention.pivots = 3;
    CAPTURE(describe_model(config));
    Transformer<float> model(config, 3);
    const TensorFile weights = export_parameters(model.parameters());
    const Tensor<float> images = random_kind_tensor<float>({5, 64}, 5);
    Tape<float> tape;
    tape.bind(model.parameters(), {});
    AttentionEvidence evidence;
    PassContext<float> pass{tape, evidence, 0, {}};
    const Var<float> expected = model.forward(pass, ModelInput<float>::of_images(images.rows()));
    Tensor<float> logits({5, 4});
    Arena arena;
    const Encoder encoder(config, weights, "random");
    encoder.forward(ModelInput<float>::of_images(images.rows()), *encoder.teacher(), logits.rows(),
                    arena);
    for (std::int64_t i = 0; i < logits.size(); ++i)  // float32, fused differently
      CHECK(std::abs(logits[i] - expected.value().data[i]) < 1e-5);
  }
}
