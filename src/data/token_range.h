#pragma once

#include <string>

#include "base/error.h"

namespace asap::data {

/// UsageError, which names the group of fields, when a configuration's longest sequence is to be
/// shorter than its shortest.
template <class Config>
void check_token_range(const std::string& group, const Config& config) {
  if (config.max_tokens < config.min_tokens)
    throw base::UsageError(group + ".max_tokens (" + std::to_string(config.max_tokens) +
                           ") is below " + group + ".min_tokens (" +
                           std::to_string(config.min_tokens) + ")");
}

}  // namespace asap::data
