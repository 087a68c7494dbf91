#pragma once

#include "config/config_fields.h"

namespace asap::config {

/// Whether a value is finite and in the range.
bool inside(const FieldRange& range, double value);

/// "between 0 and 1", "at least 0", "finite": what a value must be.
std::string range_text(const FieldRange& range);

}  // namespace asap::config
