#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace asap::base {

/// "1 head", "1,024 heads". `many`: the plural where it is not the noun with an s: "classes".
std::string counted_things(std::int64_t count, std::string_view noun, std::string_view many);

std::string counted(std::integral auto count, std::string_view noun, std::string_view many = {}) {
  return counted_things(static_cast<std::int64_t>(count), noun, many);
}

/// The same from a plural with an s: "images".
std::string counted_plural(std::int64_t count, const std::string& plural);

}  // namespace asap::base
