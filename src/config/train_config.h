#pragma once

#include <cstdint>
#include <string>

#include "config/config_fields.h"
#include "config/data_config.h"
#include "config/model_config.h"
#include "config/optimisation_fields.h"

namespace asap::config {

/// What happens when a loss or gradient is not finite: the training ends with an error, skips the
/// step and counts it, or continues from the last checkpoint at half the learning rate.
enum class DivergencePolicy { stop, skip, rollback };

/// How a model is trained. Fractions are of the whole training.
struct OptimisationConfig {
  int epochs = 2;
  std::int64_t max_steps = 0;  ///< number of steps; 0: as many as `epochs` takes
  int batch = 64;              ///< examples per step
  int shard = 8;               ///< examples a thread processes at a time
  int length_pool = 0;         ///< batches drawn together and sorted by length; 0, 1: no sorting
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
      1;  ///< fraction of the steps that train the peaks of region-constrained layers
  double weights_rate =
      0.1;  ///< learning rate of the raw weights after that, as a fraction of the others'
  double slack_rate = 10;      ///< learning rate of learned slack, as a multiple of the others'
  int checkpoint_every = 500;  ///< steps; 0: only at the end
  int keep_checkpoints = 1;
  bool keep_best = false;
  DivergencePolicy on_divergence = DivergencePolicy::stop;
  int divergence_limit =
      10;                 ///< the training ends after more skips in a row, or more rollbacks in all
  std::string init_from;  ///< run, or pretrained model, with the first weights; empty: random

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("epochs", epochs,
            "passes over the training examples; 0: none, for networks from init_from",
            between(0, 1'000'000));
    v.field("max_steps", max_steps, "number of training steps; 0: as many as the epochs take",
            at_least(0));
    v.field("batch", batch, "examples per step", between(1, 1'000'000));
    v.field("shard", shard, "examples a thread processes at a time; results depend on it slightly",
            between(1, 1'000'000));
    v.field(
        "length_pool", length_pool,
        "number of batches that are drawn together and sorted by length, which reduces padding; "
        "0 or 1: no sorting",
        between(0, 1'000'000));
    visit_adamw_fields(v, *this);
    v.field("label_smoothing", label_smoothing,
            "probability that the target spreads over all classes", between(0, 0.9));
    v.field("peaks_fraction", peaks_fraction,
            "region-constrained layers: fraction of the steps that train the peaks; the rest train "
            "the raw weights",
            between(0, 1));
    v.field("weights_rate", weights_rate,
            "learning rate of those raw weights, as a fraction of the rate of all others",
            {0, 10, true});
    v.field("slack_rate", slack_rate,
            "learning rate of the logarithm of learned slack, as a multiple of the rate of all "
            "others",
            {0, 1000, true});
    visit_checkpoint_fields(v, *this);
    v.field("keep_best", keep_best, "also keep the checkpoint with the best test accuracy");
    v.choice(
        "on_divergence", on_divergence,
        {{"stop", DivergencePolicy::stop},
         {"skip", DivergencePolicy::skip},
         {"rollback", DivergencePolicy::rollback}},
        "when the loss or gradient is not finite: stop with an error, skip the step, or roll back "
        "to the last checkpoint at half the learning rate");
    v.field("divergence_limit", divergence_limit,
            "most steps skipped in a row, or rollbacks in all, before the training stops",
            between(1, 1'000'000));
    v.field("init_from", init_from,
            "run folder, or model.safetensors of a pretrained model with its config.json, whose "
            "weights the training starts from; empty: random weights");
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
    v.group("data", data, "the data set");
    v.group("model", model, "the network");
    v.group("train", train, "the training");
    v.field("seed", seed,
            "seed of the initial weights, the order of the examples, augmentation and dropout");
  }

  /// UsageError in the user's words when fields are out of range or do not fit each other. `source`
  /// names the file or command line they came from. What depends on the data is checked when they
  /// are loaded.
  void validate(const std::string& source) const;
};

}  // namespace asap::config
