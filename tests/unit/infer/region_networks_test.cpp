#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "data/batch.h"
#include "infer/encoder.h"
#include "support/expect_error.h"
#include "support/region_training.h"
#include "train/checkpoint.h"
#include "train/trainer.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::infer;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::train;
using namespace asap::test;

TEST_CASE("networks with learned activations compute the same on the tape and for inference") {
  for (const ModelKind kind : {ModelKind::vit, ModelKind::mlp})
    for (const FeedForwardKind feed_forward : {FeedForwardKind::region, FeedForwardKind::dense})
      for (const bool released : {false, true}) {
        RegionTraining f(kind);
        f.config.model.feed_forward.kind = feed_forward;
        f.config.model.feed_forward.activation = Activation::relu;
        Transformer<float> model(f.config.model, 1);
        model.release_regions(released);
        const Encoder encoder(f.config.model, export_parameters(model.parameters()), "");
        Batch batch;
        batch.fill(f.train_data, std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6});
        Tape<float> tape;
        tape.bind(model.parameters(), {});
        AttentionEvidence evidence;
        PassContext<float> pass{tape, evidence};
        const Var<float> expected = model.forward(pass, batch.input());
        Tensor<float> logits({7, 6});
        Arena arena;
        encoder.forward(batch.input(), *encoder.teacher(), logits.rows(), arena);
        for (std::int64_t i = 0; i < logits.size(); ++i)
          CHECK(std::abs(logits[i] - expected.value().data[i]) < 1e-4);
      }
}

TEST_CASE("a perceptron has no attention and says so") {
  RegionTraining f(ModelKind::mlp);
  f.config.train.max_steps = 1;
  f.train_into("run");
  expect_error<UsageError>([&] { Encoder::load(f.run("run").path()).require_attention("--run x"); },
                           {"mlp has no attention"});
  f.config.model.pooling = Pooling::class_token;
  expect_error<UsageError>([&] { f.config.model.validate("test"); }, {"no tokens to pool"});
}
