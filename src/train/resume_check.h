#pragma once

#include <span>
#include <string>

#include "config/matcher_config.h"
#include "config/train_config.h"

namespace asap::train {

/// UsageError names all fields in which the configuration differs from that of the checkpoint to
/// continue, but for those that an entry of `allowed` names or whose group it names. It is also a
/// UsageError when such a field cannot change in the middle of a run, and when an entry names no
/// field. `saved`: the configuration as JSON; fields it lacks, because they are newer, have their
/// defaults. `same_data`: whether the training data are those of the checkpoint; if not, no changed
/// field of `data` is permitted but the names of files.
void check_same_configuration(const io::Json& saved, const config::TrainConfig& config,
                              std::span<const std::string> allowed, const std::string& source,
                              bool same_data = true);
void check_same_configuration(const io::Json& saved, const config::MatcherTrainConfig& config,
                              std::span<const std::string> allowed, const std::string& source,
                              bool same_data = true);

}  // namespace asap::train
