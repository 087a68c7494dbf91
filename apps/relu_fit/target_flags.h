#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "region/target/target.h"

namespace asap::relu_fit {

/// --function, --data with its columns, and --interval, which several commands share.
struct TargetFlags {
  std::string function, data;
  region::ChosenColumns columns;      ///< of data
  std::vector<std::string> interval;  ///< two numbers or constant formulas, "0" "2*pi"

  /// `x_flag`: the names of the option for the column of x, where --x has another meaning.
  void add_to(CLI::App& command, const std::string& x_flag = "--x,--x-column");
  bool given() const { return !function.empty() || !data.empty(); }
  /// The bounds; UsageError for text that is not a constant.
  std::optional<numerics::Interval> bounds() const;
  /// UsageError when columns are chosen without data.
  void require_data_for_columns() const;
  /// UsageError unless exactly one of function and data is given.
  void require_one() const;
  region::Target target() const;
  /// The points in the bytes of data, of which one is enough to measure a network.
  region::PointsFile points(std::string_view bytes) const;
};

}  // namespace asap::relu_fit
