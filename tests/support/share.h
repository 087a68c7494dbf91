#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace asap::test {

/// How often a long loop of a test runs: `full` times, or the part of it that ASAP_TEST_SHARE in
/// the environment says (0.1: a tenth), at least once. Builds under sanitizers take a share.
inline int share_of(int full) {
  const char* text = std::getenv("ASAP_TEST_SHARE");
  const double share = text ? std::atof(text) : 1;
  return share > 0 && share < 1 ? std::max(1, static_cast<int>(std::lround(full * share))) : full;
}

}  // namespace asap::test
