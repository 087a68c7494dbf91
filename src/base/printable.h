#pragma once

#include <string>
#include <string_view>

namespace asap::base {

/// Text that a terminal shows as it is: control characters and bytes that are not UTF-8 become
/// \x9b, where they stand.
std::string printable(std::string_view text);

/// Length in bytes of the UTF-8 character at the start of a text; 0 when there is none.
std::size_t character_length(std::string_view text);

}  // namespace asap::base
