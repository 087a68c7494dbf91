#include "region/fit/unit_scaling.h"

#include <algorithm>

namespace asap::region {

UnitScaling::UnitScaling(const Target& target) : interval_(target.interval) {
  const auto [low, high] = std::minmax_element(target.samples.y.begin(), target.samples.y.end());
  offset_ = *low;
  if (*high > *low) range_ = *high - *low;
}

Samples UnitScaling::scaled(Samples samples) const {
  for (double& x : samples.x) x = interval_.unit(x);
  for (double& y : samples.y) y = (y - offset_) / range_;
  return samples;
}

Target UnitScaling::scaled(const Target& target) const {
  Target unit = target;
  unit.interval = {0, 1};
  unit.samples = scaled(target.samples);
  unit.noise_variance = target.noise_variance / (range_ * range_);
  const auto scale_curve = [this](const numerics::Curve& f) -> numerics::Curve {
    if (!f) return {};
    return [f, scaling = *this](double u) {
      return (f(scaling.interval_.at(u)) - scaling.offset_) / scaling.range_;
    };
  };
  unit.curve = scale_curve(target.curve);
  unit.truth = scale_curve(target.truth);
  return unit;
}

ReluNetwork UnitScaling::unscaled(ReluNetwork network) const {
  network.substitute_input(1 / interval_.length(), -interval_.low / interval_.length());
  network.transform_output(range_, offset_);
  return network;
}

Fit UnitScaling::unscaled(Fit fit) const {
  fit.network = unscaled(std::move(fit.network));
  if (fit.folded) fit.folded = unscaled(std::move(*fit.folded));
  if (fit.floor) fit.floor = *fit.floor * range_ * range_;
  return fit;
}

FoldedFunction UnitScaling::unscaled(FoldedFunction function) const {
  for (double& node : function.nodes) node = interval_.at(node);
  function.nodes.front() = interval_.low;
  function.nodes.back() = interval_.high;
  for (double& value : function.values) value = offset_ + range_ * value;
  for (FoldedWindow& window : function.windows)
    for (double& scale : window.scales) scale *= range_;
  return function;
}

}  // namespace asap::region
