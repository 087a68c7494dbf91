#pragma once

#include <span>
#include <string>

#include "config/train_config.h"

namespace asap::train {

/// UsageError naming the first field in which a training's configuration differs from that of the
/// checkpoint it wants to continue, unless an entry of `allowed` names the field or its group. Also
/// when it is a field that cannot change in the middle of a run, and when an entry names no field.
/// `saved`: TrainConfig as JSON; fields it lacks, because they came later, had their defaults.
void check_same_configuration(const io::Json& saved, const config::TrainConfig& config,
                              std::span<const std::string> allowed, const std::string& source);

}  // namespace asap::train
