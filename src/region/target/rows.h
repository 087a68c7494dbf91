#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "numerics/curve.h"
#include "region/network/relu_network.h"
#include "region/network/samples.h"

namespace asap::region {

/// Rows with the names of their columns.
struct NamedRows {
  std::vector<std::string> inputs;
  std::string target;
  Rows rows;
};

/// The columns of a file to read: names from its header, or numbers from 1. Without inputs: all
/// columns but the target.
struct ColumnChoice {
  std::string target;
  std::vector<std::string> inputs;
};

/// Reads a delimited file of numbers. The separator is that of the first line (semicolon, comma or
/// tab) or the one that it declares, sep=; numbers between semicolons may have decimal commas. The first line is a header unless all
/// its fields are numbers; without a header, numbers from 1 name the columns. DataError names the
/// file, line and column of a cell that is not a finite number, a column that does not exist, a
/// name that occurs twice, and a column without a name unless the inputs are chosen. UsageError
/// names an input that is given twice or is the target.
NamedRows read_rows(const std::filesystem::path& path, const ColumnChoice& columns);
NamedRows parse_rows(std::string_view bytes, const ColumnChoice& columns,
                     const std::string& source);

/// Rows to predict: the inputs, and the target if the file has it.
struct InputRows {
  std::vector<std::string> inputs;
  tensor::Tensor<double> x;              ///< [n, inputs]
  std::optional<std::vector<double>> y;  ///< [n]
};

/// The same for rows whose target may be unknown: a file without its column has none, and an empty
/// name means none.
InputRows parse_inputs(std::string_view bytes, const ColumnChoice& columns,
                       const std::string& source);

/// How many columns a delimited file has, and their names; empty without a header.
struct ColumnList {
  std::size_t count = 0;
  std::vector<std::string> names;
};
ColumnList parse_columns(std::string_view bytes, const std::string& source);

/// Whether no line of a text, but for comments after #, has more than one field, blanks separating
/// as well.
bool has_one_column(std::string_view bytes, const std::string& source);

/// Values of a formula at `count` points drawn uniformly from the cube interval^inputs. Different
/// values of `stream` draw different points. NumericalError names a point where the formula is not
/// finite.
Rows sample_formula(const std::string& formula, const std::vector<std::string>& inputs,
                    numerics::Interval interval, std::int64_t count, std::uint64_t seed,
                    std::uint32_t stream);

/// Rows split at random into training, validation and test rows.
struct RowSplit {
  Rows training, validation, test;
};
/// validation, test: fractions of all rows. DataError when fewer than `least` rows would remain for
/// training or validation.
RowSplit split_rows(const Rows& rows, double validation, double test, std::uint64_t seed,
                    std::int64_t least);

/// Means and standard deviations of the training rows. Fits run on standardised rows,
/// (x - mean) / deviation, inputs and target alike.
struct Standardisation {
  std::vector<double> mean, deviation;  ///< [inputs]
  double target_mean = 0, target_deviation = 1;

  /// DataError names an input or target that is constant.
  static Standardisation of(const NamedRows& named);
  Rows apply(const Rows& rows) const;
  /// Turns a network of standardised rows into a network of the original rows: the scales go into
  /// the first and the output layer.
  ReluNetwork fold_into(ReluNetwork network) const;
};

}  // namespace asap::region
