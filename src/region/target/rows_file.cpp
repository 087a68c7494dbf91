// Rows from delimited files (read_rows of rows.h).

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/delimited.h"
#include "io/json.h"
#include "io/number_fields.h"
#include "io/text_lines.h"
#include "region/target/rows.h"

namespace asap::region {
namespace {

/// The separator of the first line; the others may hold texts.
char separator_of(std::string_view text) {
  if (const std::optional<char> declared = io::declared_separator(text)) return *declared;
  io::TextLines lines(text);
  while (lines.next() && base::trim(lines.line()).empty()) {
  }
  const char separator = io::numbers_separator(lines.line());
  return separator == ' ' ? ',' : separator;
}

/// Columns of one file by name.
class Columns {
 public:
  Columns(const io::DelimitedRows& fields, io::NumberReader numbers, const std::string& source)
      : source_(source) {
    for (std::int64_t c = 0; c < fields.columns(); ++c)
      has_header_ = has_header_ || !numbers.read(base::trim(fields.field(0, c)), fields.line(0));
    for (std::int64_t c = 0; c < fields.columns(); ++c)
      names_.push_back(has_header_ ? std::string(base::trim(fields.field(0, c)))
                                   : std::to_string(c + 1));
    if (const std::string repeated = io::repeated_name(names_); !repeated.empty())
      throw base::DataError(source_ + ": two columns are called '" + io::excerpt(repeated) + "'",
                            "rename or remove one of them");
  }

  bool has_header() const { return has_header_; }
  bool has(const std::string& name) const {
    if (has_header_ && std::ranges::find(names_, name) != names_.end()) return true;
    const std::optional<std::size_t> number = base::parse_number<std::size_t>(name);
    return number && *number >= 1 && *number <= names_.size();
  }
  const std::vector<std::string>& names() const { return names_; }

  /// A column without a name, which may be an index, is no input unless it is chosen.
  void require_names() const {
    for (std::size_t c = 0; c < names_.size(); ++c)
      if (io::is_unnamed(names_[c]))
        throw base::DataError(source_ + ": column " + std::to_string(c + 1) +
                                  " has no name; it may be an index, as pandas writes it",
                              "`inputs` names the columns to use, by name or number from 1");
  }

  /// Index of a column from its name or its number from 1.
  std::size_t find(const std::string& name) const {
    const std::vector<std::string> none;
    return io::find_column(name, has_header_ ? names_ : none, names_.size(), source_);
  }

 private:
  const std::string& source_;
  std::vector<std::string> names_;
  bool has_header_ = false;
};

std::vector<std::size_t> input_indices(const Columns& columns, const ColumnChoice& wanted,
                                       std::size_t target) {
  std::vector<std::size_t> indices;
  if (wanted.inputs.empty()) {
    columns.require_names();
    for (std::size_t c = 0; c < columns.names().size(); ++c)
      if (c != target) indices.push_back(c);
  }
  for (const std::string& name : wanted.inputs) {
    const std::size_t index = columns.find(name);
    if (index == target) throw base::UsageError("`inputs`: '" + name + "' is the target");
    if (std::find(indices.begin(), indices.end(), index) != indices.end())
      throw base::UsageError("`inputs`: '" + name + "' is named twice");
    indices.push_back(index);
  }
  return indices;
}

double cell(const io::DelimitedRows& fields, std::int64_t row, std::size_t column,
            const Columns& columns, io::NumberReader& numbers, const std::string& source) {
  const std::string_view field = fields.field(row, static_cast<std::int64_t>(column));
  const std::optional<double> value = numbers.read(base::trim(field), fields.line(row));
  if (value && std::isfinite(*value)) return *value;
  const std::string place = source + ":" + std::to_string(fields.line(row)) + ": column '" +
                            io::excerpt(columns.names()[column]) + "' ";
  if (value) throw base::DataError(place + "is not finite", "remove the line or repair the value");
  if (base::trim(field).empty())
    throw base::DataError(place + "is empty", "remove the line or fill it in");
  throw base::DataError(
      place + "holds '" + io::excerpt(field) + "', which is not a number",
      "repair the value, or leave the column out: `inputs` names the columns to use");
}

/// The text, fields and columns of one file.
class RowTable {
 public:
  RowTable(std::string_view bytes, const std::string& source)
      : source_(source),
        decoded_(bytes, source),
        separator_(separator_of(decoded_.text())),
        fields_(io::parse_delimited(decoded_.text(), {separator_, true}, source)),
        numbers_(separator_, source),
        columns_(checked(fields_, source), numbers_, source_) {}

  const Columns& columns() const { return columns_; }
  std::int64_t rows() const { return fields_.rows() - first(); }
  std::vector<double> column(std::size_t index) {
    std::vector<double> values;
    for (std::int64_t row = first(); row < fields_.rows(); ++row)
      values.push_back(cell(fields_, row, index, columns_, numbers_, source_));
    return values;
  }
  /// [rows, indices]
  tensor::Tensor<double> matrix(const std::vector<std::size_t>& indices) {
    const auto width = static_cast<std::int64_t>(indices.size());
    tensor::Tensor<double> x({rows(), width});
    for (std::int64_t row = 0; row < rows(); ++row)
      for (std::int64_t j = 0; j < width; ++j)
        x[row * width + j] = cell(fields_, row + first(), indices[static_cast<std::size_t>(j)],
                                  columns_, numbers_, source_);
    return x;
  }
  std::vector<std::string> names(const std::vector<std::size_t>& indices) const {
    std::vector<std::string> names;
    for (const std::size_t index : indices) names.push_back(columns_.names()[index]);
    return names;
  }

 private:
  static const io::DelimitedRows& checked(const io::DelimitedRows& fields,
                                          const std::string& source) {
    if (fields.rows() == 0) throw base::DataError(source + ": the file has no rows");
    return fields;
  }
  std::int64_t first() const { return columns_.has_header() ? 1 : 0; }

  const std::string& source_;
  io::DecodedText decoded_;
  char separator_;
  io::DelimitedRows fields_;
  io::NumberReader numbers_;
  Columns columns_;
};

}  // namespace

NamedRows parse_rows(std::string_view bytes, const ColumnChoice& wanted,
                     const std::string& source) {
  RowTable table(bytes, source);
  const std::size_t target = table.columns().find(wanted.target);
  const std::vector<std::size_t> indices = input_indices(table.columns(), wanted, target);
  if (indices.empty())
    throw base::DataError(source + ": no column is left to be an input",
                          "expected columns separated by commas, semicolons or tabs");
  // A cell of an earlier line is reported first.
  std::vector<std::size_t> all = indices;
  all.push_back(target);
  const tensor::Tensor<double> values = table.matrix(all);
  const auto width = static_cast<std::int64_t>(indices.size());
  NamedRows result{table.names(indices),
                   table.columns().names()[target],
                   {tensor::Tensor<double>({table.rows(), width}), {}}};
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const double* const from = values.data() + row * (width + 1);
    std::copy_n(from, width, result.rows.x.data() + row * width);
    result.rows.y.push_back(from[width]);
  }
  return result;
}

NamedRows read_rows(const std::filesystem::path& path, const ColumnChoice& columns) {
  return parse_rows(base::read_file(path), columns, path.string());
}

InputRows parse_inputs(std::string_view bytes, const ColumnChoice& wanted,
                       const std::string& source) {
  RowTable table(bytes, source);
  const Columns& columns = table.columns();
  const bool has_target = !wanted.target.empty() && columns.has(wanted.target);
  const std::size_t target = has_target ? columns.find(wanted.target) : columns.names().size();
  const std::vector<std::size_t> indices = input_indices(columns, wanted, target);
  InputRows result{table.names(indices), table.matrix(indices), {}};
  if (has_target) result.y = table.column(target);
  return result;
}

ColumnList parse_columns(std::string_view bytes, const std::string& source) {
  const RowTable table(bytes, source);
  const Columns& columns = table.columns();
  return {columns.names().size(),
          columns.has_header() ? columns.names() : std::vector<std::string>{}};
}

bool has_one_column(std::string_view bytes, const std::string& source) {
  const io::DecodedText decoded(bytes, source);
  const char separator = io::numbers_separator(decoded.text());
  for (io::TextLines lines(decoded.text()); lines.next();) {
    const std::string_view line = base::trim(lines.line());
    const std::string place = source + ":" + std::to_string(lines.number());
    if (!io::is_without_fields(lines) && io::split_fields(line, separator, place).size() > 1)
      return false;
  }
  return true;
}

}  // namespace asap::region
