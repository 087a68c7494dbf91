#pragma once

#include <string>
#include <string_view>

namespace asap::config {

/// Why there is no field at `path` ("model.attention.causal"), for names that people look for
/// because other programs have them; else empty.
std::string why_absent(std::string_view path);

}  // namespace asap::config
