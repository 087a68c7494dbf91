#pragma once

#include <string>

#include "config/model_config.h"
#include "data/dataset.h"

namespace asap::data {

/// The examples that a network of this kind reads.
ExampleKind examples_read_by(config::ModelKind kind);
/// The Transformer that reads such examples.
config::ModelKind model_kind_for(ExampleKind kind);

/// Fills the sizes of the model that are 0 from the data and checks the others against them.
/// UsageError names the field. The result is complete and valid.
config::ModelConfig fit_model_to_data(config::ModelConfig model, const Dataset& dataset,
                                      const std::string& source);

}  // namespace asap::data
