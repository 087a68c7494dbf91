#pragma once

#include <cstdint>
#include <vector>

#include "support/small_sequences.h"
#include "train/trainer.h"

namespace asap::test {

inline std::vector<std::int64_t> mixed_lengths(std::int64_t count) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < count; ++i) lengths.push_back(1 + i * 7 % 11);
  return lengths;
}

/// Labels a network can learn: whether the first number of a point is positive, or of most points.
inline void label_by_sign(data::Dataset& data) {
  for (std::int64_t example = 0; example < data.size(); ++example) {
    std::int64_t positive = 0;
    for (std::int64_t i = data.offsets[example]; i < data.offsets[example + 1]; ++i) {
      const bool sign = data.points[i * 2] > 0;
      positive += sign ? 1 : 0;
      if (data.labels_tokens && data.labels[i] != data::kNotScored) data.labels[i] = sign ? 1 : 0;
    }
    if (!data.labels_tokens) data.labels[example] = 2 * positive > data.tokens(example) ? 1 : 0;
  }
  data.fingerprint = data::dataset_fingerprint(data);
}

inline config::TrainConfig sequence_training(const data::Dataset& data) {
  config::TrainConfig config;
  config.model = small_sequence_model(data);
  config.model.dropout = 0.05;
  config.train.batch = 16;
  config.train.shard = 5;
  config.train.epochs = 12;
  config.train.learning_rate = 0.01;
  config.train.checkpoint_every = 7;
  return config;
}

}  // namespace asap::test
