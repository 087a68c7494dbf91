#pragma once

#include "config/config_fields.h"

namespace asap::config {

/// The fields of AdamW, of its schedule and of clipping, which every training has.
template <class Visitor, class Optimisation>
void visit_adamw_fields(Visitor& v, Optimisation& train) {
  v.field("learning_rate", train.learning_rate, "largest learning rate, reached after the warm-up",
          {0, 10, true});
  v.field("warmup_fraction", train.warmup_fraction,
          "fraction of the steps in which the learning rate rises from 0", between(0, 1));
  v.field("final_learning_rate_fraction", train.final_learning_rate_fraction,
          "learning rate of the last step, as a fraction of learning_rate", between(0, 1));
  v.field("weight_decay", train.weight_decay, "decoupled weight decay of weight matrices",
          between(0, 10));
  v.field("beta1", train.beta1, "AdamW: decay rate of the gradient's running mean",
          between(0, 0.99999));
  v.field("beta2", train.beta2, "AdamW: decay rate of the squared gradient's running mean",
          between(0, 0.9999999));
  v.field("adam_epsilon", train.adam_epsilon,
          "AdamW: number added to the root of the squared gradient's running mean", {0, 1, true});
  v.field("clip_norm", train.clip_norm, "largest norm of the gradient; 0: no clipping",
          at_least(0));
}

/// When checkpoints are written, and how many are kept.
template <class Visitor, class Optimisation>
void visit_checkpoint_fields(Visitor& v, Optimisation& train) {
  v.field("checkpoint_every", train.checkpoint_every,
          "steps between checkpoints; 0: only at the end", at_least(0));
  v.field("keep_checkpoints", train.keep_checkpoints, "number of newest checkpoints to keep",
          between(1, 1000));
}

}  // namespace asap::config
