// Region-constrained activations inside networks: both phases of their training.
#include <cmath>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/region_training.h"
#include "train/trainer.h"

using namespace asap::activation;
using namespace asap::base;
using namespace asap::config;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::train;
using namespace asap::test;

namespace {

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

TEST_CASE("weights follow the peaks in the first phase and leave them in the second") {
  for (const ModelKind kind : {ModelKind::vit, ModelKind::mlp}) {
    RegionTraining f(kind);
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
  RegionTraining f(ModelKind::mlp);
  f.train_into("whole");
  for (const std::int64_t stop : {3, 4, 5}) {
    const std::string name = "stopped-" + std::to_string(stop);
    f.train_into(name, stop);
    f.train_into(name, 0, true);
    CHECK(all_bytes(f.run(name)) == all_bytes(f.run("whole")));
  }
}

TEST_CASE("only what is trained last counts as parameters") {
  RegionTraining f(ModelKind::mlp);
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
  RegionTraining f(ModelKind::mlp);
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
