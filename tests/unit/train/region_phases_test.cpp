// Region-constrained activations inside networks: both phases of their training.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/batch.h"
#include "data/dataset.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "infer/encoder.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "tensor/kernels/channel_networks.h"
#include "train/checkpoint.h"
#include "train/trainer.h"

using namespace asap::activation;
using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::nn;
using namespace asap::tensor;
using namespace asap::train;
using namespace asap::test;

namespace {

/// Drawn shapes for a perceptron or a ViT with learned activations.
TrainConfig region_config(ModelKind kind) {
  TrainConfig config;
  config.data.kind = DataKind::shapes;
  config.data.classes = 6;
  config.data.shapes.examples = 96;
  config.data.shapes.test_examples = 32;
  config.model.kind = kind;
  config.model.width = 16;
  config.model.layers = 2;
  config.model.dropout = 0.1;
  config.model.feed_forward.kind = FeedForwardKind::region;
  config.model.feed_forward.interval = 4;
  config.train.batch = 24;
  config.train.shard = 5;
  config.train.epochs = 2;
  config.train.checkpoint_every = 1;
  config.train.learning_rate = 0.01;
  config.train.peaks_fraction = 0.5;
  return config;
}

struct Fixture {
  TrainConfig config;
  Dataset train_data, test_data;
  TemporaryFolder folder;

  explicit Fixture(ModelKind kind) : config(region_config(kind)) {
    train_data = load_dataset(config.data, Split::train);
    test_data = load_dataset(config.data, Split::test);
    config.model = fit_model_to_data(config.model, train_data, "test");
  }

  RunFolder run(const std::string& name) const { return RunFolder(folder.path() / name); }
  /// stop_after 0: to the end.
  TrainingResult train_into(const std::string& name, std::int64_t stop_after = 0,
                            bool resume = false) {
    TrainerOptions options;
    options.threads = resume ? 2 : 1;
    options.resume = resume;
    options.stop_after = stop_after;
    return train(config, run(name), train_data, test_data, options);
  }
  TensorFile weights(const std::string& name) const {
    return read_newest_weights(run(name)).tensors;
  }
};

/// Largest difference of the weights of the first activation from those that its peaks stand for.
double distance_from_peaks(const TensorFile& file, const ModelConfig& config) {
  const std::string prefix =
      config.kind == ModelKind::mlp ? "hidden.0.regions." : "layers.0.feed_forward.regions.";
  const Tensor<float> peaks = file.at(prefix + "peaks").to<float>();
  const Tensor<float> weights = file.at(prefix + "weights").to<float>();
  Tensor<float> unfolded(weights.shape());
  const double radius = config.feed_forward.interval;
  unfold_regions<float>({-radius, radius}, peaks.rows(), unfolded.rows());
  double distance = 0;
  for (std::int64_t i = 0; i < weights.size(); ++i)
    distance = std::max(distance, static_cast<double>(std::abs(weights[i] - unfolded[i])));
  return distance;
}

std::string all_bytes(const RunFolder& run) {
  return read_file(*run.newest_checkpoint() / kModelFile) + read_file(run.metrics());
}

}  // namespace

TEST_CASE("learned activations start as the parabola nearest to ReLU") {
  for (const int depth : {1, 3, 6}) {
    ParameterStore<double> store;
    FeedForwardConfig config;
    config.depth = depth;
    config.interval = 4;
    const RegionActivation<double> activation(ParameterBuilder<double>(store, 1), config, 2);
    Tensor<double> x({81, 2}), out({81, 2});
    for (std::int64_t i = 0; i < 162; ++i) x[i] = -4 + 0.1 * static_cast<double>(i / 2);
    channel_networks<double>(depth, x.rows(), store.value(activation.weights()).rows(), out.rows());
    const double step =
        8.0 / (1 << depth);  // of the pieces, straight between points of the parabola
    for (std::int64_t i = 0; i < 162; ++i) {
      const double parabola = x[i] / 2 + 3 * 4 / 32.0 + 15 * x[i] * x[i] / (32 * 4);
      CHECK(std::abs(out[i] - parabola) <= 15.0 / 128 * step * step / 4 + 1e-12);
    }
  }
}

TEST_CASE("networks with learned activations compute the same on the tape and for inference") {
  for (const ModelKind kind : {ModelKind::vit, ModelKind::mlp})
    for (const FeedForwardKind feed_forward : {FeedForwardKind::region, FeedForwardKind::dense})
      for (const bool released : {false, true}) {
        Fixture f(kind);
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

TEST_CASE("weights follow the peaks in the first phase and leave them in the second") {
  for (const ModelKind kind : {ModelKind::vit, ModelKind::mlp}) {
    Fixture f(kind);
    const TrainingResult first = f.train_into("run", 4);
    const TensorFile constrained = f.weights("run");
    CHECK(first.total_steps == 8);
    CHECK(distance_from_peaks(constrained, f.config.model) == 0);
    f.train_into("run", 0, true);
    const TensorFile released = f.weights("run");
    CHECK(distance_from_peaks(released, f.config.model) > 1e-4);
    const std::string peaks =
        kind == ModelKind::mlp ? "hidden.1.regions.peaks" : "layers.1.feed_forward.regions.peaks";
    const Tensor<float> before = constrained.at(peaks).to<float>(),
                        after = released.at(peaks).to<float>();
    CHECK(std::ranges::equal(before.flat(), after.flat()));
    CHECK(std::ranges::count(before.flat(), 0.0f) < before.size() / 4);  // they started at 0
  }
}

TEST_CASE("a training stopped before, at or after the release goes on as if it had not been") {
  Fixture f(ModelKind::mlp);
  f.train_into("whole");
  for (const std::int64_t stop : {3, 4, 5}) {
    const std::string name = "stopped-" + std::to_string(stop);
    f.train_into(name, stop);
    f.train_into(name, 0, true);
    CHECK(all_bytes(f.run(name)) == all_bytes(f.run("whole")));
  }
}

TEST_CASE("only what is trained last counts as parameters") {
  Fixture f(ModelKind::mlp);
  f.config.train.max_steps = 1;
  const std::int64_t inputs = f.config.model.image_size();
  const std::int64_t linear = 16 * inputs + 16 + 16 * 16 + 16 + 6 * 16 + 6;
  CHECK(f.train_into("released").parameters == linear + 2 * 16 * 53);
  f.config.train.peaks_fraction = 1;
  CHECK(f.train_into("constrained").parameters == linear + 2 * 16 * 7);
  f.config.model.feed_forward.kind = FeedForwardKind::dense;
  CHECK(f.train_into("dense").parameters == linear);
}

TEST_CASE("weights of another run that start a released network are kept") {
  Fixture f(ModelKind::mlp);
  f.train_into("first");
  f.config.train.init_from = f.run("first").path().string();
  f.config.train.peaks_fraction = 0;
  f.config.train.learning_rate = 1e-12;
  f.config.train.max_steps = 1;
  f.train_into("second");
  const Tensor<float> before = f.weights("first").at("hidden.0.regions.weights").to<float>();
  const Tensor<float> after = f.weights("second").at("hidden.0.regions.weights").to<float>();
  for (std::int64_t i = 0; i < before.size(); ++i) CHECK(std::abs(before[i] - after[i]) < 1e-6);
}

TEST_CASE("a perceptron has no attention and says so") {
  Fixture f(ModelKind::mlp);
  f.config.train.max_steps = 1;
  f.train_into("run");
  expect_error<UsageError>([&] { Encoder::load(f.run("run").path()).require_attention("--run x"); },
                           {"mlp has no attention"});
  f.config.model.pooling = Pooling::class_token;
  expect_error<UsageError>([&] { f.config.model.validate("test"); }, {"no tokens to pool"});
}
