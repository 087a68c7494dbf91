#pragma once

#include <vector>

#include "base/random.h"
#include "numerics/curve.h"
#include "region/network/relu_network.h"
#include "region/network/samples.h"
#include "region/target/target.h"

namespace asap::test {

inline double dense_error(const region::Target& target, const region::ReluNetwork& network) {
  const region::Samples dense =
      region::even_samples(target.reference(), target.interval, region::kDensePoints);
  std::vector<double> prediction(dense.x.size());
  network.evaluate(dense.x, prediction);
  return region::mean_squared_error(dense, prediction);
}

inline region::Target noisy_target(const numerics::Curve& f, int count, double deviation) {
  base::RandomStream random(21, base::RandomPurpose::test);
  region::Samples samples;
  for (int i = 0; i < count; ++i) {
    samples.x.push_back((i + random.uniform()) / count);
    samples.y.push_back(f(samples.x.back()) + deviation * random.normal());
  }
  return region::points_target("noisy", samples);
}

}  // namespace asap::test
