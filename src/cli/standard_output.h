#pragma once

#include <string_view>

namespace asap::cli {

/// Writes to standard output at once. DataError when it takes no more, as on a full disk.
void print(std::string_view text);

/// Opens those of the standard streams that the caller closed, so that no file of a command gets
/// their number. Reading them finds nothing; writing to them fails.
void open_standard_streams();

}  // namespace asap::cli
