#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace asap::region {

/// The columns that the user wants: names of the header, or else numbers counted from 1. Empty: not
/// chosen.
struct ChosenColumns {
  std::string x, y, weight;

  bool any() const { return !x.empty() || !y.empty() || !weight.empty(); }
};

/// Which columns of a file hold x, y and the weight. What is chosen holds; a file may then have
/// more columns, which are left out once it is clear which are x and y.
struct PointColumns {
  std::size_t count = 0;  ///< columns of every line
  std::size_t x = 0, y = 1;
  std::optional<std::size_t> weight;
  std::string note;  ///< for the user, where names or choices changed the order; empty: none

  /// For a file without a header. Without a choice the order is x, y, weight; with one, what is
  /// left besides it are x and y in this order, and only a chosen column is the weight. DataError
  /// names `place`, "FILE:LINE", for columns that are not there and for more than fit.
  static PointColumns in_order(std::size_t count, const ChosenColumns& chosen,
                               const std::string& place);

  /// From the names in a header. Unless another is chosen, columns called x, y and weight (also X,
  /// "y [mm]", and w where neither x nor y is chosen) are these wherever they are; other names
  /// stand for x and y in this order. A column without a name, the index that pandas writes, is
  /// left out when there are others. DataError names `place` for a name that occurs twice, for
  /// names that leave open or contradict which column is which, and for choices that the header
  /// does not have. UsageError for a column that is chosen twice.
  static PointColumns from_names(const std::vector<std::string>& names, const ChosenColumns& chosen,
                                 const std::string& place);
};

}  // namespace asap::region
