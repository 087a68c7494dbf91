#pragma once

#include <cstdint>
#include <string>

namespace asap::base {

/// 1234567 -> "1,234,567"
std::string format_count(std::int64_t value);

/// 42 -> "42 s", 100 -> "1:40", 3725 -> "1:02:05"; below ten seconds with one decimal, "3.2 s".
std::string format_seconds(double seconds);

/// 1572864 -> "1.5 MiB"
std::string format_bytes(std::int64_t bytes);

/// Four significant digits: 0.5123, 9.1e-05, 12.34. Zero has no sign.
std::string format_significant(double value);

/// Fixed number of decimals; "-" for a value that was not measured (NaN). What rounds to zero has
/// no sign: 0.000, never -0.000.
std::string format_fixed(double value, int decimals);

}  // namespace asap::base
