#include "train/region_phases.h"

namespace asap::train {

RegionPhases::RegionPhases(nn::Transformer<float>& model, optim::AdamW<float>& optimizer,
                           const Config& config)
    : model_(model), optimizer_(optimizer), config_(config) {
  release(false);
}

void RegionPhases::release(bool released) {
  model_.release_regions(released);
  for (const nn::RegionActivation<float>* regions : model_.regions()) {
    optimizer_.set_pace(regions->peaks(), {.frozen = released});
    optimizer_.set_pace(
        regions->weights(),
        {.frozen = !released, .first = config_.release_step, .rate_factor = config_.weights_rate});
  }
}

void RegionPhases::before_step(std::int64_t step) {
  if (!model_.regions_released() && step >= config_.release_step) release(true);
}

void RegionPhases::after_update() {
  if (!model_.regions_released()) model_.settle_regions();
}

void RegionPhases::initialised() {
  if (config_.release_step > 0) model_.settle_regions();
}

std::int64_t RegionPhases::parameter_count(std::int64_t total_steps) const {
  const bool released = config_.release_step < total_steps;
  std::int64_t count = model_.parameters().parameter_count();
  for (const nn::RegionActivation<float>* regions : model_.regions()) {
    const autodiff::ParameterId unused = released ? regions->peaks() : regions->weights();
    count -= model_.parameters().value(unused).size();
  }
  return count;
}

}  // namespace asap::train
