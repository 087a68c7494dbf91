#include "compile/activation_source.h"

#include <algorithm>

#include "base/counted.h"
#include "base/error.h"

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

void require_examples(const std::string& source, std::int64_t examples, std::int64_t wanted) {
  if (examples < wanted)
    throw base::DataError(source + ": " + base::counted(examples, "example") +
                              ", but calibration and held_out need " + std::to_string(wanted),
                          "lower `calibration`, and the key held_out (--set held_out=N)");
}

ResidentActivations::ResidentActivations(const Activations& activations)
    : activations_(&activations), teacher_(description_of(activations)) {}

ResidentActivations::ResidentActivations(Activations&& activations)
    : owned_(std::move(activations)), activations_(&owned_), teacher_(description_of(owned_)) {}

}  // namespace asap::compile
