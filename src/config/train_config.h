#pragma once

#include <cstdint>
#include <string>

#include "config/config_fields.h"
#include "config/data_config.h"
#include "config/model_config.h"

namespace asap::config {

/// What happens when a loss or gradient is not finite: the training ends with an error; the step is
/// left out and counted; or it goes back to the last checkpoint and on from there at half the
/// learning rate.
enum class DivergencePolicy { stop, skip, rollback };

/// How a model is trained. Fractions are of the whole training.
struct OptimisationConfig {
  int epochs = 2;
  std::int64_t max_steps = 0;  ///< stop after so many steps; 0: after `epochs`
  int batch = 64;              ///< examples per step
  int shard = 8;               ///< examples a thread works on at a time
  int length_pool = 0;         ///< batches whose examples are sorted by length; 0, 1: none
  double learning_rate = 1e-3;
  double warmup_fraction = 0.05;
  double final_learning_rate_fraction = 0.01;
  double weight_decay = 0.05;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double clip_norm = 1;  ///< largest norm of the gradient; 0: no clipping
  double label_smoothing = 0;
  double peaks_fraction =
      1;  ///< of the steps, in which region-constrained layers train their peaks
  double weights_rate =
      0.1;  ///< learning rate of the raw weights after that, as a part of the others'
  int checkpoint_every = 500;  ///< steps; 0: only at the end
  int keep_checkpoints = 1;
  bool keep_best = false;
  DivergencePolicy on_divergence = DivergencePolicy::stop;
  int divergence_limit = 10;  ///< skips in a row, or rollbacks in all, before it ends after all
  std::string init_from;      ///< folder of another run whose weights are the first; empty: random

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("epochs", epochs, "passes over the training examples", between(1, 1'000'000));
    v.field("max_steps", max_steps, "stop after so many steps; 0: after the epochs", at_least(0));
    v.field("batch", batch, "examples per step", between(1, 1'000'000));
    v.field("shard", shard, "examples a thread works on at a time; results depend on it slightly",
            between(1, 1'000'000));
    v.field("length_pool", length_pool,
            "so many batches are drawn together and cut after sorting by length, so that little is "
            "padded; 0 or 1: not sorted",
            between(0, 1'000'000));
    v.field("learning_rate", learning_rate, "largest step size, reached after the warm-up",
            {0, 10, true});
    v.field("warmup_fraction", warmup_fraction, "part of the steps in which the rate rises from 0",
            between(0, 1));
    v.field("final_learning_rate_fraction", final_learning_rate_fraction,
            "rate of the last step as a fraction of learning_rate", between(0, 1));
    v.field("weight_decay", weight_decay, "decoupled weight decay of the matrices", between(0, 10));
    v.field("beta1", beta1, "AdamW: memory of the gradient's mean", between(0, 0.99999));
    v.field("beta2", beta2, "AdamW: memory of the gradient's square", between(0, 0.9999999));
    v.field("adam_epsilon", adam_epsilon, "AdamW: added to the root of the square", {0, 1, true});
    v.field("clip_norm", clip_norm, "largest norm of the gradient; 0: no clipping", at_least(0));
    v.field("label_smoothing", label_smoothing, "probability spread over all classes",
            between(0, 0.9));
    v.field("peaks_fraction", peaks_fraction,
            "region-constrained layers: part of the steps in which the peaks are trained; then the "
            "raw weights",
            between(0, 1));
    v.field("weights_rate", weights_rate,
            "learning rate of those raw weights, as a part of the others'", {0, 10, true});
    v.field("checkpoint_every", checkpoint_every, "steps between checkpoints; 0: only at the end",
            at_least(0));
    v.field("keep_checkpoints", keep_checkpoints, "newest checkpoints to keep", between(1, 1000));
    v.field("keep_best", keep_best, "also keep the checkpoint of the best test accuracy");
    v.choice("on_divergence", on_divergence,
             {{"stop", DivergencePolicy::stop},
              {"skip", DivergencePolicy::skip},
              {"rollback", DivergencePolicy::rollback}},
             "loss or gradient not finite: end, leave the step out, or go back to the last "
             "checkpoint at half the learning rate");
    v.field("divergence_limit", divergence_limit,
            "steps skipped in a row, or rollbacks in all, before the training ends after all",
            between(1, 1'000'000));
    v.field("init_from", init_from,
            "folder of another run whose weights the training starts from; empty: random ones");
  }
};

/// Everything that decides a training run.
struct TrainConfig {
  DataConfig data;
  ModelConfig model;
  OptimisationConfig train;
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.group("data", data, "where the examples come from");
    v.group("model", model, "what is trained");
    v.group("train", train, "how it is trained");
    v.field("seed", seed, "initial weights, order of the examples, dropout");
  }

  /// UsageError in the user's words when fields are out of range or do not fit each other. `source`
  /// names the file or command line they came from. What depends on the data is checked when they
  /// are loaded.
  void validate(const std::string& source) const;
};

}  // namespace asap::config
