// Readers meet thousands of damaged versions of valid files. They may accept one (a changed pixel
// is still a picture) or refuse it with a DataError or UsageError of one line; nothing else may
// happen.

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/damage.h"

namespace asap::test {

constexpr int kMutations = 5000;

/// Reads damaged versions of `valid` and returns how many were refused.
inline int count_refusals(const std::string& valid,
                          const std::function<void(const std::string&)>& read) {
  CHECK_NOTHROW(read(valid));
  int refused = 0;
  for (std::uint32_t i = 0; i < kMutations; ++i) {
    base::RandomStream random(1, base::RandomPurpose::test, i);
    const std::string bytes = damage(valid, random);
    try {
      read(bytes);
    } catch (const base::Error& error) {
      ++refused;
      const bool expected =
          error.kind() == base::ErrorKind::data || error.kind() == base::ErrorKind::usage;
      CHECK_MESSAGE(expected, "damage ", i, ": ", error.what());
      CHECK_MESSAGE(std::string(error.what()).find('\n') == std::string::npos, "damage ", i);
    } catch (const std::exception& error) {
      FAIL_CHECK("damage ", i, ": ", error.what());
    }
  }
  return refused;
}

}  // namespace asap::test
