#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "region/target/target.h"

namespace asap::relu_fit {

/// --function, --data and --interval, which several commands share.
struct TargetFlags {
  std::string function, data;
  std::vector<std::string> interval;  ///< two numbers or constant formulas, "0" "2*pi"

  void add_to(CLI::App& command);
  bool given() const { return !function.empty() || !data.empty(); }
  /// The bounds; UsageError for text that is not a constant.
  std::optional<numerics::Interval> bounds() const;
  /// UsageError unless exactly one of function and data is given.
  region::Target target() const;
};

}  // namespace asap::relu_fit
