#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"

namespace asap::test {

struct Line {
  std::vector<double> s, t;
};

/// `levels` > 0 draws from that many values, so that most of them tie.
inline Line random_line(std::uint32_t trial, std::size_t rows, std::size_t cols, int levels) {
  base::RandomStream random(7, base::RandomPurpose::test, trial);
  const auto draw = [&] {
    return levels > 0 ? static_cast<double>(random.below(levels)) - levels / 2 : random.normal();
  };
  Line line{std::vector<double>(rows), std::vector<double>(cols)};
  for (double& value : line.s) value = draw();
  for (double& value : line.t) value = draw();
  return line;
}

}  // namespace asap::test
