#pragma once

#include <memory>
#include <span>
#include <vector>

#include "data/batch.h"
#include "nn/transformer.h"
#include "train/shard_exchange.h"

namespace asap::train {

/// The measurements of one training step, before it changes the weights.
struct StepOutcome {
  double loss = 0;      ///< mean over the scored labels of the batch
  double accuracy = 0;  ///< over the same labels
  attention::AttentionEvidence evidence;
  StepReports reports{};  ///< of all ranks
};

/// Sizes, seed and regularisation of the steps.
struct ShardEngineConfig {
  std::int64_t shard = 8;  ///< examples a thread processes at a time
  int threads = 1;
  std::uint64_t seed = 1;  ///< of dropout
  double dropout = 0;
  double embedding_dropout = 0;
  double word_dropout = 0;
  double label_smoothing = 0;
  data::ImageAugmentation images{};
  Teamwork team{};
};

/// Gradients of a batch, data-parallel and deterministic: the batch is cut into shards of a fixed
/// size, each runs forward and backward on one thread into a gradient buffer of its own, and the
/// buffers are added in the order of the shards. Neither the cut nor the order depends on the
/// number of threads or of ranks, among which the shards are distributed, so results are
/// bit-identical for any number. Batch norms use the moments of one shard, so the size of a shard
/// is a setting of the training.
class ShardEngine {
 public:
  ShardEngine(const nn::Transformer<float>& model, const ShardEngineConfig& config);

  /// Loss of the examples `indices` of `data` and its gradient (see gradient()).
  /// `wants_to_stop`: what this rank tells the others.
  StepOutcome compute(const data::Dataset& data, std::span<const std::int64_t> indices,
                      std::int64_t step, bool wants_to_stop = false);

  /// Gradient of the last compute(), laid out as the model's parameters().flat().
  tensor::VectorView<float> gradient() { return shards_.front().gradient.flat(); }
  tensor::VectorView<const float> gradient_view() const { return shards_.front().gradient.flat(); }

  /// Peak memory of the values, gradients and scratch of a step so far, in bytes: the peaks of the
  /// tapes' arenas, summed over the threads. Parameters and their gradients are not included.
  std::int64_t step_peak_bytes() const;

 private:
  /// What ranks tell each other of a shard.
  struct Record {
    double loss = 0;
    std::int64_t correct = 0;
    attention::AttentionEvidence evidence;
  };
  struct Shard {
    tensor::Tensor<float> gradient;
    Record record;
  };
  struct Worker {
    autodiff::Tape<float> tape;
    data::Batch batch;
  };

  /// The shared input of all shards of one step.
  struct Step {
    const data::Dataset& data;
    std::span<const std::int64_t> indices;
    std::uint32_t number;
    std::int64_t scored;  // scored labels of the whole batch; at least 1
  };

  void run_shard(const Step& step, std::int64_t index, Shard& shard, Worker& worker,
                 const autodiff::FinalGradients& on_final) const;

  const nn::Transformer<float>& model_;
  ShardEngineConfig config_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Shard> shards_;    // of this rank
  std::vector<Record> records_;  // of all ranks
};

}  // namespace asap::train
