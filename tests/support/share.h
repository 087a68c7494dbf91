#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace asap::test {

/// How often a long loop of a test runs: `full` times, or the part of it that ASAP_TEST_SHARE in
/// the environment says (0.1: a tenth), at least once. Builds under sanitizers take a share.
inline int share_of(int full) {
  const char* text = std::getenv("ASAP_TEST_SHARE");
  const double share = text ? std::atof(text) : 1;
  return share > 0 && share < 1 ? std::max(1, static_cast<int>(std::lround(full * share))) : full;
}

/// Whether nothing is to be shortened.
inline bool in_full() { return share_of(1000) == 1000; }

/// Whether case `index` of a long row of cases is among those to run: all of them, or where there
/// is a share, evenly spread ones. An odd distance meets every value of inner loops whose lengths
/// are even.
inline bool in_share(std::int64_t index) {
  const int part = share_of(1000);
  return index % ((1000 / part) | 1) == 0;
}

}  // namespace asap::test
