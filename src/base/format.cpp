#include "base/format.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace asap::base {
namespace {

template <class... Values>
std::string print(const char* pattern, Values... values) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, pattern, values...);
  return buffer;
}

}  // namespace

std::string format_count(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t end = digits.size(); end > first + 3; end -= 3) digits.insert(end - 3, ",");
  return digits;
}

std::string format_seconds(double seconds) {
  if (!(seconds >= 0) || std::isinf(seconds)) return "?";
  if (seconds < 9.95) return print("%.1f s", seconds);
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 60) return print("%ld s", whole);
  if (whole < 3600) return print("%ld:%02ld", whole / 60, whole % 60);
  return print("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string format_bytes(std::int64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return print(unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
}

std::string format_significant(double value) { return print("%.4g", value == 0 ? 0.0 : value); }

std::string format_fixed(double value, int decimals) {
  if (std::isnan(value)) return "-";
  constexpr double kManyDigits = 1e15;  // from here on float64 has no decimals left to show
  if (std::abs(value) >= kManyDigits) return format_significant(value);
  std::string text = print("%.*f", decimals, value);
  // A tiny negative remainder, as of a fit that is exact, is no negative number to a reader.
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

}  // namespace asap::base
