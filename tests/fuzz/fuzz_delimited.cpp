// Fuzz target: tables of text, comma-separated with quotes and tab-separated without. See
// README.md.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "io/delimited.h"
#include "io/utf8.h"

namespace {

/// The table as text again, every field in quotes.
std::string quoted(const asap::io::DelimitedRows& table) {
  std::string text;
  for (std::int64_t row = 0; row < table.rows(); ++row)
    for (std::int64_t column = 0; column < table.columns(); ++column) {
      text += '"';
      for (const char byte : table.field(row, column)) {
        if (byte == '"') text += '"';
        text += byte;
      }
      text += column + 1 < table.columns() ? "\"," : "\"\n";
    }
  return text;
}

void check_table(std::string_view bytes, const asap::io::DelimitedFormat& format) {
  asap::io::DelimitedRows table;
  try {
    table = asap::io::parse_delimited(bytes, format, "input");
  } catch (const asap::base::DataError&) {
    return;
  }
  const asap::io::DelimitedRows again = asap::io::parse_delimited(quoted(table), {}, "written");
  asap::base::check(again.rows() == table.rows(), "a table keeps its rows");
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    asap::base::check(row == 0 || table.line(row) > table.line(row - 1), "rows begin in order");
    for (std::int64_t column = 0; column < table.columns(); ++column) {
      asap::base::check(again.field(row, column) == table.field(row, column), "a field survives");
      // Fields are parts between ASCII characters, so valid text stays valid.
      asap::base::check(
          asap::io::find_invalid_utf8(table.field(row, column)) == std::string_view::npos,
          "a field is UTF-8");
    }
  }
}

}  // namespace

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_table(bytes, {',', true});
  check_table(bytes, {'\t', false});
  return 0;
}
