#pragma once

#include <cstdint>
#include <vector>

#include "config/config_fields.h"

namespace asap::config {

/// A distribution shift, applied to a data set after it is loaded: see data/shift.h.
struct ShiftConfig {
  std::vector<int> classes = {};  ///< labels of the examples that stay; empty: all
  int min_tokens = 0;             ///< of the examples that stay
  int max_tokens = 0;             ///< of the examples that stay; 0: no limit
  double noise = 0;               ///< standard deviation; pixels run from 0 to 1
  bool negative = false;          ///< images only, before noise
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("classes", classes,
            "keep only the examples with these labels, for example [0,1,2]; empty: all");
    v.field("min_tokens", min_tokens,
            "keep only the token sequences and sets with at least N tokens",
            between(0, 10'000'000));
    v.field("max_tokens", max_tokens,
            "keep only the token sequences and sets with at most N tokens; 0: no limit",
            between(0, 10'000'000));
    v.field("noise", noise,
            "standard deviation of the normal noise added to pixels (from 0 to 1) or to the "
            "coordinates of points",
            between(0, 100));
    v.field("negative", negative, "invert the pixels of images, before noise is added");
    v.field("seed", seed, "seed of the noise");
  }
};

}  // namespace asap::config
