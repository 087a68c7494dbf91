#include "compile/activation_source.h"

#include <algorithm>

namespace asap::compile {
namespace {

TeacherDescription description_of(const Activations& activations) {
  const auto has_values = [](const LayerActivations& layer) { return layer.values.size() > 0; };
  const auto has_slack = [](const LayerActivations& layer) { return !layer.slacks.empty(); };
  return {.examples = activations.examples,
          .layers = std::ssize(activations.layers),
          .heads = activations.heads,
          .head_width = activations.layers.at(0).queries.shape()[1] / activations.heads,
          .iterations = activations.iterations,
          .has_values = std::ranges::all_of(activations.layers, has_values),
          .has_slack = std::ranges::any_of(activations.layers, has_slack),
          .model_fingerprint = activations.model_fingerprint,
          .source = activations.source};
}

}  // namespace

ResidentActivations::ResidentActivations(const Activations& activations)
    : activations_(&activations), teacher_(description_of(activations)) {}

ResidentActivations::ResidentActivations(Activations&& activations)
    : owned_(std::move(activations)), activations_(&owned_), teacher_(description_of(owned_)) {}

}  // namespace asap::compile
