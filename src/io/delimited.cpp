#include "io/delimited.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "io/text_lines.h"

namespace asap::io {
namespace {

constexpr const char* kSeparatorHint = "is the separator right (data.text.separator)?";
constexpr const char* kQuotedHint =
    "are fields quoted (--set data.text.quotes=yes), or is another separator right "
    "(data.text.separator)?";
constexpr const char* kQuotingHint =
    "quote a field that contains quotes, and double each quote in it; files without quoting: "
    "--set data.text.quotes=no";

}  // namespace

/// Goes through the text once.
class DelimitedParser {
 public:
  DelimitedParser(std::string_view text, const DelimitedFormat& format, const std::string& source,
                  std::int64_t first_line)
      : rest_(text),
        format_(format),
        separator_(declared_separator(text).value_or(format.separator)),
        declares_(declared_separator(text).has_value()),
        source_(source),
        end_(lines_end_with_cr(text, format.quotes) ? '\r' : '\n'),
        line_(first_line) {
    rows_.text_.reserve(text.size());
  }

  DelimitedRows parse() {
    if (declares_) skip_line();
    while (!rest_.empty()) {
      rest_ = without_byte_order_mark(rest_);  // files joined by cat have one inside
      if (!rest_.empty() && !take_line_end()) parse_row();
    }
    return std::move(rows_);
  }

 private:
  [[noreturn]] void fail(std::int64_t line, const std::string& what, const char* hint) const {
    throw base::DataError(source_ + ":" + std::to_string(line) + ": " + what, hint);
  }

  /// Takes the end of a line off the front, if one is there.
  bool take_line_end() {
    const bool carriage_return = rest_.starts_with("\r\n");
    if (!carriage_return && !rest_.starts_with('\n') && !rest_.starts_with(end_)) return false;
    rest_.remove_prefix(carriage_return ? 2 : 1);
    ++line_;
    return true;
  }

  void skip_line() {
    rest_.remove_prefix(std::min(rest_.find_first_of("\r\n"), rest_.size()));
    take_line_end();
  }

  void parse_row() {
    rows_.lines_.push_back(line_);
    std::int64_t columns = 0;
    const std::string_view row_before = row_;
    row_ = rest_;
    do {
      parse_field();
      ++columns;
    } while (take_separator());
    row_.remove_suffix(rest_.size());
    if (!rest_.empty()) base::check(take_line_end(), "parse_row: a field ends where a line does");
    if (rows_.columns_ == 0) rows_.columns_ = columns;
    if (columns != rows_.columns_)
      fail(rows_.lines_.back(),
           "expected " + std::to_string(rows_.columns_) + " columns as in line " +
               std::to_string(rows_.lines_.front()) + ", found " + std::to_string(columns),
           // A quoted field that is cut at a line end leaves a quote in one of two rows.
           !format_.quotes && (has_quote(row_) || has_quote(row_before)) ? kQuotedHint
                                                                         : kSeparatorHint);
  }

  bool take_separator() {
    if (!rest_.starts_with(separator_)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void parse_field() {
    if (format_.quotes && rest_.starts_with('"'))
      parse_quoted();
    else
      parse_plain();
    rows_.ends_.push_back(rows_.text_.size());
  }

  void parse_plain() {
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != separator_ && !ends_line(end)) {
      if (format_.quotes && rest_[end] == '"')
        fail(line_, "a quote inside a field that does not begin with one", kQuotingHint);
      ++end;
    }
    rows_.text_.append(rest_.substr(0, end));
    rest_.remove_prefix(end);
  }

  bool ends_line(std::size_t at) const {
    return rest_[at] == '\n' || rest_[at] == end_ ||
           (rest_[at] == '\r' && rest_.substr(at).starts_with("\r\n"));
  }

  void parse_quoted() {
    const std::int64_t begin = line_;
    rest_.remove_prefix(1);
    while (true) {
      const std::size_t quote = rest_.find('"');
      if (quote == std::string_view::npos)
        fail(begin, "a quoted field that begins here does not end", kQuotingHint);
      for (const char byte : rest_.substr(0, quote)) line_ += byte == end_ ? 1 : 0;
      rows_.text_.append(rest_.substr(0, quote));
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      rows_.text_ += '"';
      rest_.remove_prefix(1);
    }
    if (!rest_.empty() && rest_.front() != separator_ && !ends_line(0))
      fail(line_, "a quoted field is followed by more than a separator", kQuotingHint);
  }

  static bool has_quote(std::string_view row) { return row.find('"') != std::string_view::npos; }

  std::string_view rest_;
  std::string_view row_;  // the last one read
  const DelimitedFormat& format_;
  const char separator_;
  const bool declares_;  // the first line names the separator
  const std::string& source_;
  const char end_;  // of lines: LF, also after CR, or CR
  DelimitedRows rows_;
  std::int64_t line_;
};

std::string_view DelimitedRows::field(std::int64_t row, std::int64_t column) const {
  const auto index = static_cast<std::size_t>(row * columns_ + column);
  base::check(column >= 0 && column < columns_ && row >= 0 && row < rows(),
              "DelimitedRows::field: no such field");
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(text_).substr(begin, ends_[index] - begin);
}

DelimitedRows parse_delimited(std::string_view bytes, const DelimitedFormat& format,
                              const std::string& source, std::int64_t first_line) {
  const DecodedText decoded(bytes, source);
  return DelimitedParser(decoded.text(), format, source, first_line).parse();
}

DelimitedRows read_delimited(const std::filesystem::path& path, const DelimitedFormat& format) {
  return parse_delimited(base::read_file(path), format, path.string());
}

}  // namespace asap::io
