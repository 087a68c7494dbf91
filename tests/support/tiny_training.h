#pragma once

#include <filesystem>

#include "data/dataset.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "train/trainer.h"

namespace asap::test {

inline config::TrainConfig tiny_config() {
  config::TrainConfig config;
  config.data.kind = config::DataKind::shapes;
  config.data.classes = 6;
  config.data.shapes.examples = 96;
  config.data.shapes.test_examples = 32;
  config.model.width = 16;
  config.model.layers = 2;
  config.model.dropout = 0.1;
  config.train.batch = 24;
  config.train.shard = 5;  // does not divide the batch
  config.train.epochs = 1;
  return config;
}

struct TinyTraining {
  config::TrainConfig config = tiny_config();
  data::Dataset train_data = data::load_dataset(config.data, data::Split::train);
  data::Dataset test_data = data::load_dataset(config.data, data::Split::test);
  TinyTraining() { config.model = data::fit_model_to_data(config.model, train_data, "test"); }
};

/// A finished run of two steps.
inline config::RunFolder short_run(const TinyTraining& f, const std::filesystem::path& folder) {
  const config::RunFolder run(folder);
  train::TrainerOptions options;
  options.stop_after = 2;
  train::train(f.config, run, f.train_data, f.test_data, options);
  return run;
}

}  // namespace asap::test
