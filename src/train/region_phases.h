#pragma once

#include "config/train_config.h"
#include "nn/transformer.h"
#include "optim/adamw.h"

namespace asap::train {

/// The number of steps, of `total_steps`, that train the peaks.
inline std::int64_t release_step(const config::OptimisationConfig& config,
                                 std::int64_t total_steps) {
  return static_cast<std::int64_t>(config.peaks_fraction * static_cast<double>(total_steps));
}

/// The two phases of the training of region-constrained activations (Milkert, Hyde and Laine, ICML
/// 2025, Section 3): before the release the peaks, from which the weights follow, so that the
/// number of regions stays 2^depth; then the weights themselves, with fresh moments. Does nothing
/// for other networks.
class RegionPhases {
 public:
  struct Config {
    std::int64_t release_step = 0;
    double weights_rate = 0.1;  ///< learning rate of the weights, as a fraction of the others'
  };

  /// Model and optimizer must outlive it.
  RegionPhases(nn::Transformer<float>& model, optim::AdamW<float>& optimizer, const Config& config);

  /// Before step `step` + 1.
  void before_step(std::int64_t step);
  /// In the first phase: computes the weights from the updated peaks.
  void after_update();
  /// Call it after a state of step `step` is loaded.
  void restored(std::int64_t step) { release(step > config_.release_step); }
  /// Call it after the weights of another run are loaded.
  void initialised();

  /// The number of trained numbers in the last phase.
  std::int64_t parameter_count(std::int64_t total_steps) const;

 private:
  void release(bool released);

  nn::Transformer<float>& model_;
  optim::AdamW<float>& optimizer_;
  Config config_;
};

}  // namespace asap::train
