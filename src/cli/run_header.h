#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/options.h"

namespace asap {

/// The settings of a run, printed once before it starts so that a log says what was run.
///
///   asap-train 0.1.0
///     data        fashion-mnist: 60,000 training, 10,000 test images
///     threads     2
class RunHeader {
 public:
  explicit RunHeader(std::string title) : title_(std::move(title)) {}

  RunHeader& add(std::string name, std::string value) {
    lines_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  /// Adds threads, seed and instruction set.
  RunHeader& add_machine(const CommonOptions& options, std::uint64_t seed);

  std::string text() const;

 private:
  std::string title_;
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace asap
