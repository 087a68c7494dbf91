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

}  // namespace

NamedRows parse_rows(std::string_view bytes, const ColumnChoice& wanted,
                     const std::string& source) {
  const io::DecodedText decoded(bytes, source);
  const char separator = separator_of(decoded.text());
  const io::DelimitedRows fields = io::parse_delimited(decoded.text(), {separator, true}, source);
  if (fields.rows() == 0) throw base::DataError(source + ": the file has no rows");
  io::NumberReader numbers(separator, source);
  const Columns columns(fields, numbers, source);
  const std::size_t target = columns.find(wanted.target);
  const std::vector<std::size_t> indices = input_indices(columns, wanted, target);
  if (indices.empty())
    throw base::DataError(source + ": no column is left to be an input",
                          "expected columns separated by commas, semicolons or tabs");
  NamedRows result;
  result.target = columns.names()[target];
  for (const std::size_t index : indices) result.inputs.push_back(columns.names()[index]);
  const std::int64_t first = columns.has_header() ? 1 : 0;
  const auto width = static_cast<std::int64_t>(indices.size());
  result.rows.x = tensor::Tensor<double>({fields.rows() - first, width});
  for (std::int64_t row = first; row < fields.rows(); ++row) {
    for (std::int64_t j = 0; j < width; ++j)
      result.rows.x[(row - first) * width + j] =
          cell(fields, row, indices[static_cast<std::size_t>(j)], columns, numbers, source);
    result.rows.y.push_back(cell(fields, row, target, columns, numbers, source));
  }
  return result;
}

NamedRows read_rows(const std::filesystem::path& path, const ColumnChoice& columns) {
  return parse_rows(base::read_file(path), columns, path.string());
}

}  // namespace asap::region
