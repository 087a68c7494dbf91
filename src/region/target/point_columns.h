#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace asap::region {

/// Which columns of a file hold x, y and the weight.
struct PointColumns {
  std::size_t count = 0;  ///< columns of every line
  std::size_t x = 0, y = 1;
  std::optional<std::size_t> weight;
  std::string note;  ///< for the user, where names changed the order; empty: none

  /// The order x, y, weight. DataError names `place`, "FILE:LINE", unless count is 2 or 3.
  static PointColumns in_order(std::size_t count, const std::string& place);

  /// From the names in a header. Columns called x, y and weight (also X, "y [mm]", w) are these
  /// wherever they are; other names stand for x and y in this order. A column without a name, the
  /// index that pandas writes, is left out when there are others. DataError names `place` for a
  /// name that occurs twice and for names that leave open or contradict which column is which.
  static PointColumns from_names(const std::vector<std::string>& names, const std::string& place);
};

}  // namespace asap::region
