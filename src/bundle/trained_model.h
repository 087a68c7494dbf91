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

/// Which examples the teacher runs again after a compiled method, and what the calibration on
/// training data says about it: see evaluate::choose_threshold.
struct CascadeThreshold {
  float margin = 0;                ///< those with a smaller margin
  double share = 0;                ///< of the calibration examples
  std::int64_t examples = 0;       ///< of the calibration
  std::int64_t disagreements = 0;  ///< calibration examples with other predictions than the teacher
  std::int64_t missed = 0;         ///< those of them with a larger margin
};

/// The threshold of a compiled method that a bundle keeps.
struct StoredCascade {
  std::string method = "compiled";
  double limit = 0;  ///< largest share of the calibration examples that was allowed
  CascadeThreshold threshold = {};
};

/// A trained network with everything it needs to answer.
struct TrainedModel {
  std::string source;  ///< the run or the bundle, for messages
  config::TrainConfig config;
  infer::Encoder encoder;
  std::vector<std::string> class_names;          ///< [classes]
  std::shared_ptr<const text::TextCodec> codec;  ///< of texts from files, else null
  std::optional<compile::OperatorArtefact> compiled;
  std::optional<StoredCascade> cascade = {};  ///< of a bundle that holds one
};

/// The network of a run, with its class names, and the compiled operator in the folder `compiled`
/// unless that is empty. Class names come from the run or, where it remembers none, from its data.
/// DataError when parts are missing or the operator was compiled for another model.
TrainedModel load_run(const std::filesystem::path& run, const std::filesystem::path& compiled);

/// The network of a bundle (a file) or of a run (a folder). An operator in the folder `compiled`
/// takes the place of the bundle's, whose cascade then goes, too.
TrainedModel load_model(const std::filesystem::path& path, const std::filesystem::path& compiled);

/// The configuration of a run (a folder) or, without places of files, of a bundle (a file).
config::TrainConfig read_train_config(const std::filesystem::path& path);

/// The weights of a run (a folder) or a bundle (a file), as in the checkpoint.
io::TensorFile read_weights(const std::filesystem::path& path);

/// DataError when an operator was not compiled for the network of this fingerprint and
/// configuration. `source` names the operator.
void require_fitting_operator(const compile::OperatorArtefact& compiled, const std::string& source,
                              const std::string& fingerprint, const config::ModelConfig& model);

}  // namespace asap::bundle
