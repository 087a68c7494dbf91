#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace asap::io {

/// Objects keep their keys sorted, so that equal content gives equal text.
using Json = nlohmann::json;

/// Parses strict JSON. DataError begins with "source:line:" and says what was expected. Repeated
/// keys in an object and nesting deeper than 64 are errors.
Json parse_json(std::string_view text, const std::string& source);
/// The same for one line of JSON lines; DataError begins with `place`, "file:line".
Json parse_json_line(std::string_view line, const std::string& place);
Json read_json(const std::filesystem::path& path);

/// Indented by two spaces, ends with a newline. Numbers read back exactly; NaN and infinity, which
/// JSON does not have, become null. Invalid UTF-8 is written with replacement characters.
std::string format_json(const Json& value);

/// On one line, without a newline: for JSON lines.
std::string format_json_line(const Json& value);

/// Replaces the file atomically by format_json(value).
void write_json(const std::filesystem::path& path, const Json& value);

/// Prepares text from a file for a one-line message: replaces control characters, escapes bytes
/// that are not UTF-8, and cuts it after 60 bytes.
std::string excerpt(std::string_view text);

}  // namespace asap::io
