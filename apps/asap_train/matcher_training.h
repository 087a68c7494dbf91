#pragma once

#include "cli/options.h"
#include "config/matcher_config.h"
#include "train/trainer.h"

namespace asap::asap_train {

/// True if the --config file or a --set option chooses model.kind=matcher.
bool asks_for_matcher(const cli::CommonOptions& common);

/// Trains a matcher as the options and the configuration say, and ends with summary.json.
/// `tensorboard`: keep an event file, too.
void run_matcher_training(const cli::CommonOptions& common, train::TrainerOptions options,
                          bool tensorboard);

}  // namespace asap::asap_train
