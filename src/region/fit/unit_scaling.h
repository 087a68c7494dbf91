#pragma once

#include "numerics/curve.h"
#include "region/fit/methods.h"
#include "region/network/relu_network.h"
#include "region/target/target.h"

namespace asap::region {

/// The affine change of x and y that maps the interval to [0, 1] and gives the samples range one.
/// Fits run in these units, so step sizes, noise and roundings mean the same for every target.
class UnitScaling {
 public:
  explicit UnitScaling(const Target& target);

  /// The target in unit scale; its curves call the original ones.
  Target scaled(const Target& target) const;
  Samples scaled(Samples samples) const;
  /// Converts a network fitted in unit scale to the target's units.
  ReluNetwork unscaled(ReluNetwork network) const;
  FoldedFunction unscaled(FoldedFunction function) const;
  Fit unscaled(Fit fit) const;

 private:
  numerics::Interval interval_;
  double offset_ = 0, range_ = 1;  // y = offset + range * unit y
};

}  // namespace asap::region
