#pragma once

#include <memory>
#include <span>
#include <vector>

#include "data/keypoints/keypoint_sample.h"
#include "nn/matcher.h"
#include "train/shard_engine.h"

namespace asap::train {

/// Gradients of a batch of pairs, data-parallel and deterministic as ShardEngine: each pair runs on
/// one thread into a gradient buffer of its own, and the buffers are added in the order of the
/// batch. Pairs differ in size, so nothing is padded.
class MatcherEngine {
 public:
  struct Settings {
    int threads = 1;
    std::int64_t keypoints = 0;  ///< most of each image; 0: all
    bool vary = false;           ///< see data::vary_sample; else those of largest response
    std::uint64_t seed = 1;      ///< of the variation
    Teamwork team{};
  };
  MatcherEngine(const nn::Matcher<float>& model, const Settings& settings);

  /// Mean loss of the pairs `indices`, its gradient (see gradient()), and as accuracy the share of
  /// keypoints of image 0 whose largest entry of the assignment, dustbin included, is the true one.
  /// `wants_to_stop`: what this rank tells the others.
  StepOutcome compute(const data::KeypointPairs& pairs, std::span<const std::int64_t> indices,
                      std::int64_t step, bool wants_to_stop = false);

  /// Gradient of the last compute(), laid out as the model's parameters().flat().
  tensor::VectorView<float> gradient() { return parts_.front().gradient.flat(); }

  /// Transports of the last compute() that left the exp domain.
  std::int64_t log_domain_problems() const { return transport_.log_domain_problems; }

 private:
  /// What ranks tell each other of a pair.
  struct Record {
    double loss = 0;
    std::int64_t right = 0, scored = 0;
    autodiff::TransportEvidence transport;
  };
  struct Part {
    tensor::Tensor<float> gradient;
    Record record;
  };
  struct Worker {
    autodiff::Tape<float> tape;
    data::KeypointSample sample;
  };
  /// One pair of a batch of `count`; worker.sample holds it.
  void run_pair(std::int64_t count, Part& part, Worker& worker,
                const autodiff::FinalGradients& on_final) const;
  /// Reads a pair; `draw` is its variation.
  void fill(const data::KeypointPairs& pairs, std::int64_t pair, const data::SampleDraw& draw,
            data::KeypointSample& sample) const;

  const nn::Matcher<float>& model_;
  Settings settings_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Part> parts_;      // of this rank
  std::vector<Record> records_;  // of all ranks
  autodiff::TransportEvidence transport_;
};

}  // namespace asap::train
