#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "support/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/trainer.h"

namespace asap::test {

/// Drawn shapes for a perceptron or a ViT with learned activations.
inline config::TrainConfig region_config(config::ModelKind kind) {
  config::TrainConfig config;
  config.data.kind = config::DataKind::shapes;
  config.data.classes = 6;
  config.data.shapes.examples = 96;
  config.data.shapes.test_examples = 32;
  config.model.kind = kind;
  config.model.width = 16;
  config.model.layers = 2;
  config.model.dropout = 0.1;
  config.model.feed_forward.kind = config::FeedForwardKind::region;
  config.model.feed_forward.interval = 4;
  config.train.batch = 24;
  config.train.shard = 5;
  config.train.epochs = 2;
  config.train.checkpoint_every = 1;
  config.train.learning_rate = 0.01;
  config.train.peaks_fraction = 0.5;
  return config;
}

struct RegionTraining {
  config::TrainConfig config;
  data::Dataset train_data, test_data;
  TemporaryFolder folder;

  explicit RegionTraining(config::ModelKind kind) : config(region_config(kind)) {
    train_data = data::load_dataset(config.data, data::Split::train);
    test_data = data::load_dataset(config.data, data::Split::test);
    config.model = data::fit_model_to_data(config.model, train_data, "test");
  }

  config::RunFolder run(const std::string& name) const {
    return config::RunFolder(folder.path() / name);
  }
  /// stop_after 0: to the end.
  train::TrainingResult train_into(const std::string& name, std::int64_t stop_after = 0,
                                   bool resume = false) {
    train::TrainerOptions options;
    options.threads = resume ? 2 : 1;
    options.resume = resume;
    options.stop_after = stop_after;
    return train::train(config, run(name), train_data, test_data, options);
  }
  io::TensorFile weights(const std::string& name) const {
    return train::read_newest_weights(run(name)).tensors;
  }
};

}  // namespace asap::test
