#include "io/number_fields.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "io/json.h"

namespace asap::io {
namespace {

bool separates(char byte, char separator) {
  return byte == separator || (separator == ' ' && byte == '\t');
}

/// Takes the next field off a line. The separator after it stays.
std::string take_field(std::string_view& rest, char separator, const std::string& place) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || !separates(rest[end], separator)); ++end)
    if (rest[end] == '"') quoted = !quoted;
  const std::string_view field = base::trim(rest.substr(0, end));
  rest.remove_prefix(end);
  std::string text = unquoted(field);
  if (field.find('"') != std::string_view::npos && (quoted || text == field))
    throw base::DataError(place + ": the quotes of a field are broken",
                          "put them around the whole field, and double each quote in it");
  return text;
}

/// What a user may call the columns of a file.
std::string known_columns(const std::vector<std::string>& names, std::size_t count) {
  constexpr std::size_t kListed = 30;
  if (names.empty())
    return "the columns have no names; there are " + std::to_string(count) + ", counted from 1";
  std::vector<std::string> listed;
  for (std::size_t c = 0; c < std::min(names.size(), kListed); ++c)
    listed.push_back("'" + excerpt(names[c]) + "'");
  return "the header names " + base::join(listed, ", ") + (names.size() > kListed ? ", ..." : "") +
         "; numbers count columns from 1";
}

}  // namespace

char numbers_separator(std::string_view text) {
  if (const std::optional<char> declared = declared_separator(text)) return *declared;
  bool comma = false, tab = false;
  for (TextLines lines(text); lines.next();) {
    if (base::trim(lines.line()).starts_with('#')) continue;
    bool quoted = false;
    for (const char byte : lines.line()) {
      if (byte == '"') quoted = !quoted;
      if (quoted) continue;
      if (byte == ';') return ';';
      comma = comma || byte == ',';
      tab = tab || byte == '\t';
    }
  }
  return comma ? ',' : tab ? '\t' : ' ';
}

bool is_without_fields(const TextLines& lines) {
  const std::string_view content = base::trim(lines.line());
  return content.empty() || content.front() == '#' ||
         (lines.number() == 1 && declared_separator(lines.line()));
}

std::vector<std::string> split_fields(std::string_view line, char separator,
                                      const std::string& place) {
  std::vector<std::string> fields;
  if (separator == ' ') line = base::trim(line);
  while (true) {
    fields.push_back(take_field(line, separator, place));
    if (line.empty()) return fields;
    line.remove_prefix(1);
    if (separator == ' ') line = base::trim(line);
  }
}

std::optional<double> NumberReader::read(std::string_view field, std::int64_t line) {
  if (field.starts_with('+')) field.remove_prefix(1);
  std::string text(field);
  const std::size_t comma = text.find(',');
  if (comma != std::string::npos) {
    if (!decimal_comma_ || text.find('.') != std::string::npos) return std::nullopt;
    text[comma] = '.';
  }
  const std::optional<double> value = base::parse_number<double>(text);
  if (!value || text.find('.') == std::string::npos) return value;
  std::int64_t& first = comma == std::string::npos ? point_line_ : comma_line_;
  if (first == 0) first = line;
  if (decimal_comma_ && point_line_ > 0 && comma_line_ > 0)
    throw base::DataError(source_ + ":" + std::to_string(line) + ": line " +
                              std::to_string(comma_line_) + " has a decimal comma, line " +
                              std::to_string(point_line_) + " a decimal point",
                          "write all numbers of a file in one way");
  return value;
}

std::size_t find_column(const std::string& wanted, const std::vector<std::string>& names,
                        std::size_t count, const std::string& place) {
  const auto found = std::ranges::find(names, wanted);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const std::optional<std::size_t> number = base::parse_number<std::size_t>(wanted);
  if (number && *number >= 1 && *number <= count) return *number - 1;
  const std::string nearest = base::nearest_name(wanted, names);
  throw base::DataError(place + ": there is no column '" + excerpt(wanted) + "'",
                        (nearest.empty() ? "" : "did you mean '" + excerpt(nearest) + "'? ") +
                            known_columns(names, count));
}

std::string repeated_name(const std::vector<std::string>& names) {
  std::vector<std::string> sorted(names);
  std::ranges::sort(sorted);
  std::erase(sorted, "");
  const auto found = std::ranges::adjacent_find(sorted);
  return found == sorted.end() ? "" : *found;
}

bool is_unnamed(std::string_view name) { return name.empty() || name.starts_with("Unnamed: "); }

}  // namespace asap::io
