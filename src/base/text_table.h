#pragma once

#include <string>
#include <vector>

namespace asap::base {

/// A text table with aligned columns: words to the left, numbers to the right.
///
///   method      accuracy  agreement
///   ----------  --------  ---------
///   teacher       0.8340     1.0000
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::right;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell per column. InternalError otherwise.
  void add_row(std::vector<std::string> cells);

  /// The printed text: every line ends with a newline and has no trailing spaces.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Width of a text on the screen, in columns: UTF-8 code points.
std::size_t display_width(const std::string& text);

}  // namespace asap::base
