#pragma once

#include "numerics/curve.h"
#include "region/network/relu_network.h"
#include "region/target/target.h"

namespace asap::region {

/// The affine change of x and y under which the interval is [0, 1] and the samples have range one.
/// Fits run in these units, so that step sizes, noise and roundings mean the same for every target.
class UnitScaling {
 public:
  explicit UnitScaling(const Target& target);

  /// The target in unit scale. Its curves are evaluated through the original ones.
  Target scaled(const Target& target) const;
  Samples scaled(Samples samples) const;
  /// A network fitted in unit scale, back in the target's units.
  ReluNetwork unscaled(ReluNetwork network) const;
  FoldedFunction unscaled(FoldedFunction function) const;

 private:
  numerics::Interval interval_;
  double offset_ = 0, range_ = 1;  // y = offset + range * unit y
};

}  // namespace asap::region
