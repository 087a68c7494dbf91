#include "config/field_range.h"

#include <cmath>

#include "base/text.h"

namespace asap::config {

bool inside(const FieldRange& range, double value) {
  const bool above = range.min_excluded ? value > range.min : value >= range.min;
  return std::isfinite(value) && above && value <= range.max;
}

std::string range_text(const FieldRange& range) {
  const std::string low = base::format_number(range.min), high = base::format_number(range.max);
  if (std::isinf(range.min)) return std::isinf(range.max) ? "finite" : "at most " + high;
  if (std::isinf(range.max)) return (range.min_excluded ? "above " : "at least ") + low;
  return range.min_excluded ? "above " + low + " and at most " + high
                            : "between " + low + " and " + high;
}

}  // namespace asap::config
