#pragma once

#include "config/train_config.h"
#include "nn/transformer.h"
#include "optim/adamw.h"

namespace asap::train {

/// Steps of `total_steps` in which peaks are trained.
inline std::int64_t release_step(const config::OptimisationConfig& config,
                                 std::int64_t total_steps) {
  return static_cast<std::int64_t>(config.peaks_fraction * static_cast<double>(total_steps));
}

/// The two phases in which region-constrained activations are trained (Milkert, Hyde and Laine,
/// ICML 2025, Section 3): up to the release the peaks, from which weights follow, so that the
/// number of regions stays 2^depth; then the weights themselves, whose moments start afresh.
/// Nothing for other networks.
class RegionPhases {
 public:
  struct Config {
    std::int64_t release_step = 0;
    double weights_rate = 0.1;  ///< learning rate of the weights, as a part of the others'
  };

  /// Model and optimizer must outlive it.
  RegionPhases(nn::Transformer<float>& model, optim::AdamW<float>& optimizer, const Config& config);

  /// Before step `step` + 1.
  void before_step(std::int64_t step);
  /// Keeps the weights those that the peaks stand for, while it is the peaks that are trained.
  void after_update();
  /// Once a state of after `step` steps is loaded.
  void restored(std::int64_t step) { release(step > config_.release_step); }
  /// Once weights of another run are loaded.
  void initialised();

  /// Numbers trained last, without what has served its time by then.
  std::int64_t parameter_count(std::int64_t total_steps) const;

 private:
  void release(bool released);

  nn::Transformer<float>& model_;
  optim::AdamW<float>& optimizer_;
  Config config_;
};

}  // namespace asap::train
