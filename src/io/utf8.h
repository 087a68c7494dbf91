#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace asap::io {

/// Offset of the first byte that is not part of valid UTF-8 (Unicode 15, D92: no overlong forms, no
/// surrogates), or npos.
std::size_t find_invalid_utf8(std::string_view text);

/// DataError with line and offset of the first byte that is not part of valid UTF-8, or with the
/// encoding where the text begins like UTF-16 or UTF-32. `source` names the file, whose first line
/// is 1.
void require_utf8(std::string_view text, const std::string& source);

/// Removes and returns the first character of non-empty, valid UTF-8; InternalError otherwise.
char32_t next_character(std::string_view& text);

/// Appends a character, which must not be a surrogate.
void append_utf8(char32_t character, std::string& text);

}  // namespace asap::io
