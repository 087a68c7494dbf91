#include "base/counted.h"

#include "base/format.h"

namespace asap::base {

std::string counted_things(std::int64_t count, std::string_view noun, std::string_view many) {
  std::string text = format_count(count) + " ";
  if (count == 1 || many.empty())
    text += noun;
  else
    text += many;
  if (count != 1 && many.empty()) text += 's';
  return text;
}

std::string counted_plural(std::int64_t count, const std::string& plural) {
  return counted_things(count, plural.substr(0, plural.size() - 1), plural);
}

}  // namespace asap::base
