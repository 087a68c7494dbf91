#pragma once

#include <cstdint>

#include "config/config_fields.h"

namespace asap::config {

/// Settings of every set of points, read or drawn.
struct PointsConfig {
  int count = 0;          ///< points used of each example; 0: all
  bool normalise = true;  ///< centre every set and scale it to the unit ball

  template <class Visitor>
  void visit(Visitor& v) {
    v.field(
        "count", count,
        "points used of each example: drawn anew in every training step, the first ones otherwise; "
        "0: all",
        between(0, 1'000'000));
    v.field("normalise", normalise, "centre every set and scale it to the unit ball");
  }
};

/// Points drawn from the surfaces of solids: see data/points/solids_dataset.h.
struct SolidsConfig {
  int examples = 2000;
  int test_examples = 500;
  int points = 64;      ///< of each example
  double noise = 0.03;  ///< standard deviation, for solids of about radius 1
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("examples", examples, "training sets to draw", between(1, 1'000'000));
    v.field("test_examples", test_examples, "test sets to draw", between(1, 1'000'000));
    v.field("points", points, "points in each set", between(1, 100'000));
    v.field("noise", noise, "standard deviation of the noise; solids have a radius of about 1",
            between(0, 10));
    v.field("seed", seed, "seed of the drawn sets, separate from the seed of the training");
  }
};

/// Pairs of noisy codes: see data/points/matching_dataset.h.
struct MatchingConfig {
  int examples = 8000;
  int test_examples = 1000;
  int pairs = 24;
  int code_width = 10;
  double noise = 0.4;  ///< standard deviation, for codes of deviation 1
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("examples", examples, "training sets to draw", between(1, 1'000'000));
    v.field("test_examples", test_examples, "test sets to draw", between(1, 1'000'000));
    v.field("pairs", pairs, "pairs in each set; a pair makes two tokens", between(1, 10'000));
    v.field("code_width", code_width, "numbers in a code", between(1, 1024));
    v.field("noise", noise, "standard deviation of the noise; codes have a deviation of 1",
            between(0, 100));
    v.field("seed", seed, "seed of the drawn sets, separate from the seed of the training");
  }
};

/// Nested lists of digits: see data/texts/listops_dataset.h.
struct ListopsConfig {
  int examples = 8000;
  int test_examples = 1000;
  int min_tokens = 20;
  int max_tokens = 100;
  int max_depth = 10;
  int max_arguments = 10;
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("examples", examples, "training expressions to draw", between(1, 10'000'000));
    v.field("test_examples", test_examples, "test expressions to draw", between(1, 10'000'000));
    v.field("min_tokens", min_tokens,
            "length of the shortest expression, in tokens (Long Range Arena: 500)",
            between(4, 100'000));
    v.field("max_tokens", max_tokens,
            "length of the longest expression, in tokens (Long Range Arena: 2000)",
            between(4, 100'000));
    v.field("max_depth", max_depth, "deepest nesting of lists", between(1, 1000));
    v.field("max_arguments", max_arguments, "most arguments of a list", between(2, 1000));
    v.field("seed", seed, "seed of the drawn expressions, separate from the seed of the training");
  }
};

}  // namespace asap::config
