#pragma once

#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace asap::base {

/// The candidate nearest to `word` in edit distance, or "" when none is near enough to be a typing
/// error.
std::string nearest_name(std::string_view word, std::span<const std::string> candidates);

/// "did you mean 'x'?" for the nearest candidate, else "expected one of: a, b, c".
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

std::string join(std::span<const std::string> parts, std::string_view separator);

/// Splits at every separator; an empty text has no parts.
std::vector<std::string> split(std::string_view text, char separator);

/// Text with the special characters of XML and HTML escaped.
std::string escape_markup(const std::string& text);

/// A word of a command line, in quotes where a POSIX shell needs them.
std::string shell_word(const std::string& word);

/// The text without leading and trailing spaces, tabs and line ends.
std::string_view trim(std::string_view text);

/// The number that the whole text spells, or nothing. T: a type that std::from_chars reads.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Shortest decimal text that reads back as the same number ("0.1", "1e-09", "nan").
std::string format_number(double value);

}  // namespace asap::base
