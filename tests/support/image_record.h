#pragma once

#include <string>

namespace asap::test {

/// A record: its labels, then pixels that count up from `first`.
inline std::string record(const std::string& labels, std::size_t pixels, int first = 0) {
  std::string bytes = labels;
  for (std::size_t i = 0; i < pixels; ++i)
    bytes += static_cast<char>(static_cast<std::size_t>(first) + i);
  return bytes;
}

}  // namespace asap::test
