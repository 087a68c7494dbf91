#pragma once

#include "base/random.h"
#include "data/dataset.h"
#include "data/model_fit.h"

namespace asap::test {

/// Random token sequences, or points of two numbers, of these lengths; two classes.
inline data::Dataset small_sequences(config::ModelKind kind,
                                     const std::vector<std::int64_t>& lengths,
                                     bool labels_tokens = false) {
  data::Dataset dataset;
  dataset.name = "sequences";
  dataset.kind = data::examples_read_by(kind);
  dataset.labels_tokens = labels_tokens;
  dataset.class_names = {"a", "b"};
  dataset.offsets = {0};
  base::RandomStream random(41, base::RandomPurpose::test);
  for (const std::int64_t length : lengths) {
    dataset.offsets.push_back(dataset.offsets.back() + length);
    for (std::int64_t i = 0; i < length; ++i) {
      if (kind == config::ModelKind::text)
        dataset.ids.push_back(static_cast<std::int32_t>(1 + random.below(9)));
      else
        for (int axis = 0; axis < 2; ++axis)
          dataset.points.push_back(static_cast<float>(random.uniform(-1, 1)));
      if (labels_tokens)  // one in three is not scored
        dataset.labels.push_back(static_cast<std::int32_t>(random.below(3)) - 1);
    }
    if (!labels_tokens) dataset.labels.push_back(static_cast<std::int32_t>(random.below(2)));
  }
  if (kind == config::ModelKind::text)
    dataset.vocabulary = 10;
  else
    dataset.point_width = 2;
  dataset.fingerprint = data::dataset_fingerprint(dataset);
  return dataset;
}

/// A model of width 8 with two heads and two layers that fits the data.
inline config::ModelConfig small_sequence_model(const data::Dataset& dataset) {
  config::ModelConfig config;
  config.kind = data::model_kind_for(dataset.kind);
  config.width = 8;
  config.heads = 2;
  config.layers = 2;
  config.pooling = dataset.labels_tokens ? config::Pooling::none : config::Pooling::mean;
  config.attention.iterations = 4;
  config.attention.epsilon = 0.5;
  return data::fit_model_to_data(config, dataset, "test");
}

/// Gives a model of texts all that BERT has: post-LN with another epsilon, a norm of embeddings,
/// exact GELU, token types behind id 1, the first token and a pooler (else the mean).
inline void make_bert(config::ModelConfig& config, bool pooler) {
  config.norm = config::NormPosition::post;
  config.norm_epsilon = 1e-3;
  config.embedding_norm = true;
  config.separator = 1;
  config.feed_forward.activation = config::Activation::gelu_erf;
  config.pooling = pooler ? config::Pooling::first_token : config::Pooling::mean;
  config.pooler = pooler;
}

}  // namespace asap::test
