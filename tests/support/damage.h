#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"

namespace asap::test {

/// One to four random changes: a flipped bit, another byte, a piece cut out, doubled or overwritten
/// by a number that likes to overflow.
inline std::string damage(std::string bytes, base::RandomStream& random) {
  static const std::vector<std::string> kNasty{"-1",
                                               "18446744073709551615",
                                               "9223372036854775807",
                                               "1e999",
                                               "{",
                                               "[",
                                               "\"",
                                               "null",
                                               std::string(8, '\xff'),
                                               std::string(4, '\x7f'),
                                               std::string(3, '\0')};
  for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
    const std::size_t at = random.below(bytes.size() + 1);
    const std::size_t length = random.below(12);
    switch (random.below(6)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random.below(256));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 4:
        bytes.replace(at, length, kNasty[random.below(kNasty.size())]);
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace asap::test
