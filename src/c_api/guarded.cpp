#include "c_api/guarded.h"

#include <algorithm>
#include <cstring>

namespace asap::c_api {
namespace {

/// Whether a byte continues a character of UTF-8.
bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

asap_status report(asap_error* error, asap_status status, const std::string& message,
                   const std::string& hint) {
  if (!error) return status;
  error->status = status;
  const char* const parts[] = {message.c_str(), hint.empty() ? "" : " (hint: ", hint.c_str(),
                               hint.empty() ? "" : ")"};
  std::size_t used = 0;
  for (const char* part : parts) {
    const std::size_t room = sizeof error->message - 1 - used, length = std::strlen(part);
    std::size_t taken = std::min(room, length);
    while (taken > 0 && taken < length && continues(part[taken])) --taken;
    std::memcpy(error->message + used, part, taken);
    used += taken;
    if (taken < length) break;
  }
  error->message[used] = '\0';
  return status;
}

void require(const void* pointer, const char* name) {
  if (!pointer) throw base::UsageError(std::string(name) + " must not be NULL");
}

void require_range(std::int64_t value, std::int64_t least, std::int64_t most, const char* name) {
  if (value < least || value > most)
    throw base::UsageError(std::string(name) + " is " + std::to_string(value) + ", expected " +
                           std::to_string(least) + " to " + std::to_string(most));
}

}  // namespace asap::c_api
