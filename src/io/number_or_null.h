#pragma once

#include <cmath>

#include "io/json.h"

namespace asap::io {

/// The number, or null where it is not finite: what format_json() would write.
inline Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace asap::io
