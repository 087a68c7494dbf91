#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "support/tiny_training.h"
#include "train/checkpoint.h"

using namespace asap::autodiff;
using namespace asap::base;
using namespace asap::config;
using namespace asap::io;
using namespace asap::nn;
using namespace asap::train;
using namespace asap::test;

namespace {

std::vector<float> values_of(const Transformer<float>& model, const std::string& name) {
  for (const auto& entry : model.parameters().entries())
    if (entry.name == name) {
      const auto begin = model.parameters().flat().begin() + entry.offset;
      return {begin, begin + entry.shape.size()};
    }
  FAIL("no parameter ", name);
  return {};
}

}  // namespace

TEST_CASE("a training that starts from another run's weights has all of them, whatever attention") {
  TinyTraining f;
  const TemporaryFolder folder;
  const RunFolder run = short_run(f, folder.path() / "first");
  const TensorFile weights = read_newest_weights(run).tensors;
  for (const AttentionKind kind :
       {AttentionKind::softmax, AttentionKind::lotformer, AttentionKind::sinkhorn}) {
    ModelConfig config = f.config.model;
    config.attention.kind = kind;
    config.attention.learn_epsilon = kind == AttentionKind::sinkhorn;
    Transformer<float> model(config, 9);
    const Transformer<float> untouched(config, 9);
    const InitialWeights initial = take_initial_weights(run.path().string(), model);
    CHECK(initial.fresh.size() == (kind == AttentionKind::softmax ? 0U : 2U));  // one per layer
    CHECK_FALSE(initial.fingerprint.empty());
    for (const auto& entry : model.parameters().entries()) {
      CAPTURE(entry.name);
      const std::vector<float> now = values_of(model, entry.name);
      if (std::ranges::count(initial.fresh, entry.name) > 0)
        CHECK(now == values_of(untouched, entry.name));
      else
        CHECK(std::ranges::equal(now, weights.at(entry.name).to<float>().flat()));
    }
  }
}

TEST_CASE("another number of classes starts with a fresh classifier and says so") {
  TinyTraining f;
  const TemporaryFolder folder;
  const RunFolder run = short_run(f, folder.path() / "first");
  ModelConfig config = f.config.model;
  config.classes = 3;
  Transformer<float> model(config, 9);
  const InitialWeights initial = take_initial_weights(run.path().string(), model);
  CHECK(initial.fresh == std::vector<std::string>{"head.weight", "head.bias"});
  CHECK(describe_initial_weights("first", initial) ==
        "starting from the weights of first; fresh: head.weight, head.bias");
}

TEST_CASE("weights that do not fit are refused by the name of the first tensor") {
  TinyTraining f;
  const TemporaryFolder folder;
  const RunFolder run = short_run(f, folder.path() / "first");
  const auto expect_refusal = [&](const auto& change, std::initializer_list<const char*> parts) {
    ModelConfig config = f.config.model;
    change(config);
    Transformer<float> model(config, 9);
    const std::vector<float> before(model.parameters().flat().begin(),
                                    model.parameters().flat().end());
    expect_error<UsageError>([&] { take_initial_weights(run.path().string(), model); }, parts);
    CHECK(std::ranges::equal(before, model.parameters().flat()));
  };
  expect_refusal([](ModelConfig& c) { c.width = 32; },
                 {"'embedding.patch.weight' must be [32, 16]", "[16, 16] there", "config.json"});
  expect_refusal([](ModelConfig& c) { c.layers = 3; },
                 {"'layers.2.attention_norm.weight'", "missing there"});
  expect_refusal([](ModelConfig& c) { c.layers = 1; }, {"no tensor 'layers.1."});
  expect_refusal([](ModelConfig& c) { c.heads = 4; }, {"model.heads is 2 there and 4 here"});
  expect_refusal([](ModelConfig& c) { c.separator = 4; },
                 {"model.separator is 0 there and 4 here"});
  Transformer<float> model(f.config.model, 1);
  CHECK_THROWS_AS(take_initial_weights((folder.path() / "nothing").string(), model), DataError);
}
