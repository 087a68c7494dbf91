#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "numerics/curve.h"
#include "region/family/folded_function.h"
#include "region/network/samples.h"

namespace asap::test {

inline region::FoldedFunction random_function(int depth, int fold, int windows,
                                              std::uint32_t stream) {
  base::RandomStream random(7, base::RandomPurpose::test, stream);
  region::FoldedFunction function;
  for (int j = 0; j <= windows; ++j) {
    function.nodes.push_back(j + 0.3 * random.uniform() - 1);
    function.values.push_back(random.normal());
  }
  for (int j = 0; j < windows; ++j) {
    region::FoldedWindow window;
    for (int i = 0; i < depth; ++i) {
      std::vector<double> pieces;
      double total = 0;
      for (int k = 0; k < fold; ++k) total += pieces.emplace_back(random.uniform(0.3, 0.7));
      for (double& piece : pieces) piece /= total;
      window.pieces.push_back(pieces);
      for (int k = 1; k < fold; ++k)
        window.scales.push_back(std::pow(fold, -2 * i) * random.uniform(-1, 1));
    }
    function.windows.push_back(window);
  }
  return function;
}

inline region::Samples dense_samples(const numerics::Curve& f, numerics::Interval interval,
                                     int count) {
  region::Samples samples;
  for (int i = 0; i < count; ++i) {
    samples.x.push_back(interval.at(static_cast<double>(i) / (count - 1)));
    samples.y.push_back(f(samples.x.back()));
  }
  return samples;
}

}  // namespace asap::test
