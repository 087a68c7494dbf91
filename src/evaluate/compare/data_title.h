#pragma once

#include <string>

#include "config/data_config.h"

namespace asap::evaluate {

/// What people call the data: "Fashion-MNIST" for a well-known name, "Drawn shapes" for generated
/// examples, else the folder's (or file's) own name. Never a path.
std::string data_title(const config::DataConfig& config);

/// " --set KEY=VALUE" for data that are not those of the training; empty where they are.
std::string data_options(const config::DataConfig& data, const config::DataConfig& trained);

}  // namespace asap::evaluate
