#pragma once

#include <cstdint>
#include <vector>

#include "config/config_fields.h"

namespace asap::config {

/// Other examples than those of the data set as it is: see data/shift.h.
struct ShiftConfig {
  std::vector<int> classes = {};  ///< labels of the examples that stay; empty: all
  int min_tokens = 0;             ///< of the examples that stay
  int max_tokens = 0;             ///< of the examples that stay; 0: any number
  double noise = 0;               ///< standard deviation; pixels run from 0 to 1
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("classes", classes, "keep the examples with these labels, [0,1,2]; empty: all");
    v.field("min_tokens", min_tokens, "keep the token sequences and sets with at least so many",
            between(0, 10'000'000));
    v.field("max_tokens", max_tokens,
            "keep the token sequences and sets with at most so many; 0: any number",
            between(0, 10'000'000));
    v.field("noise", noise,
            "standard deviation of normal noise added to pixels, which run from 0 to 1, or to the "
            "coordinates of points",
            between(0, 100));
    v.field("seed", seed, "which noise is drawn");
  }
};

}  // namespace asap::config
