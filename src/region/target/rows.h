#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "numerics/curve.h"
#include "region/network/relu_network.h"
#include "region/network/samples.h"

namespace asap::region {

/// A table with the names of its columns.
struct NamedTable {
  std::vector<std::string> inputs;
  std::string target;
  TableRows rows;
};

/// Which columns of a file are read: names of the header, or numbers from 1. No inputs: all columns
/// but the target.
struct TableColumns {
  std::string target;
  std::vector<std::string> inputs;
};

/// Reads a file of numbers with separators: comma, semicolon or tab, whichever its first line has
/// most of. Its first line is a header unless every field of it is a number; without one, columns
/// are called by their numbers. DataError names file, line and column of a cell that is not a
/// finite number, a column that is not there, and a column of one value only; UsageError an input
/// that is named twice or is the target.
NamedTable read_table(const std::filesystem::path& path, const TableColumns& columns);
NamedTable parse_table(std::string_view bytes, const TableColumns& columns,
                       const std::string& source);

/// Values of a formula at `count` points drawn evenly from the cube interval^inputs. Draws of
/// different `stream` share no points. NumericalError names a point where the formula is not
/// finite.
TableRows sample_formula(const std::string& formula, const std::vector<std::string>& inputs,
                         numerics::Interval interval, std::int64_t count, std::uint64_t seed,
                         std::uint32_t stream);

/// Rows taken at random for training, validation and test.
struct TableSplit {
  TableRows training, validation, test;
};
/// Fractions of all rows that go to validation and test. DataError when training or validation
/// would be left with fewer than `least` rows.
TableSplit split_table(const TableRows& rows, double validation, double test, std::uint64_t seed,
                       std::int64_t least);

/// Means and deviations of training rows: fits run in (x - mean) / deviation, for inputs and
/// target.
struct Standardisation {
  std::vector<double> mean, deviation;  ///< [inputs]
  double target_mean = 0, target_deviation = 1;

  /// DataError names an input, or the target, that has one value only.
  static Standardisation of(const NamedTable& table);
  TableRows apply(const TableRows& rows) const;
  /// The network of standardised rows as one of the rows as they were: first layer and output
  /// layer take the scales.
  ReluNetwork fold_into(ReluNetwork network) const;
};

}  // namespace asap::region
