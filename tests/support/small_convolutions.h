#pragma once

#include "support/tiny_training.h"

namespace asap::test {

/// A training of a small convolutional network on drawn shapes.
struct ConvolutionalTraining {
  config::TrainConfig config = tiny_config();
  data::Dataset train_data = data::load_dataset(config.data, data::Split::train);
  data::Dataset test_data = data::load_dataset(config.data, data::Split::test);

  ConvolutionalTraining() {
    config.model.kind = config::ModelKind::convolutional;
    config.model.convolution = {{3, 5}, 2};
    config.model.layers = 1;
    config.model.feed_forward.kind = config::FeedForwardKind::region;
    config.train.learning_rate = 0.003;
    config.train.checkpoint_every = 1;
    config.model = data::fit_model_to_data(config.model, train_data, "test");
  }

  train::TrainingResult train_into(const std::filesystem::path& folder, int threads,
                                   std::int64_t stop_after = 0, bool resume = false) const {
    train::TrainerOptions options;
    options.threads = threads;
    options.stop_after = stop_after;
    options.resume = resume;
    return train::train(config, config::RunFolder(folder), train_data, test_data, options);
  }
};

}  // namespace asap::test
