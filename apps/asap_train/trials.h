#pragma once

#include "cli/options.h"
#include "config/train_config.h"
#include "data/dataset.h"

namespace asap::asap_train {

/// --dry-run: prints the time and memory that the training will need.
void print_estimate(const cli::CommonOptions& common, const config::TrainConfig& config,
                    const data::Dataset& train_data, const data::Dataset& test_data);

/// --overfit-one-batch: NumericalError when the model cannot memorise one batch.
void try_to_overfit(const cli::CommonOptions& common, const config::TrainConfig& config,
                    const data::Dataset& train_data);

}  // namespace asap::asap_train
