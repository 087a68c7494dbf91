#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compile/operator_artefact.h"
#include "config/train_config.h"
#include "infer/encoder.h"
#include "text/text_codec.h"

namespace asap::bundle {

/// A trained network with everything it needs to answer.
struct TrainedModel {
  std::string source;  ///< the run or the bundle, for messages
  config::TrainConfig config;
  infer::Encoder encoder;
  std::vector<std::string> class_names;          ///< [classes]
  std::shared_ptr<const text::TextCodec> codec;  ///< of texts from files, else null
  std::optional<compile::OperatorArtefact> compiled;
};

/// The network of a run, with its class names, and the compiled operator in the folder `compiled`
/// unless that is empty. Class names come from the run or, where it remembers none, from its data.
/// DataError when parts are missing or the operator was compiled for another model.
TrainedModel load_run(const std::filesystem::path& run, const std::filesystem::path& compiled);

/// The network of a bundle (a file) or of a run (a folder). An operator in the folder `compiled`
/// takes the place of the bundle's.
TrainedModel load_model(const std::filesystem::path& path, const std::filesystem::path& compiled);

/// DataError when an operator was not compiled for the network of this fingerprint and
/// configuration. `source` names the operator.
void require_fitting_operator(const compile::OperatorArtefact& compiled, const std::string& source,
                              const std::string& fingerprint, const config::ModelConfig& model);

}  // namespace asap::bundle
