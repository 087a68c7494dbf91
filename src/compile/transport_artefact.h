#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "attention/transport/transport_map.h"
#include "io/json.h"

namespace asap::compile {

/// The compiled transport of a matcher as it lies on disk:
///   OP/operator.safetensors  weights [P], float64: see attention::TransportMap
///   OP/operator.json         format and version, the matcher it was compiled for, what it was
///                            fitted on, and its evidence on other pairs
struct TransportArtefact {
  static constexpr const char* kFormat = "asap-transport-operator";
  static constexpr int kVersion = 1;

  attention::TransportMap map;
  int teacher_iterations = 1;      ///< T >= 1
  std::string model_fingerprint;   ///< of the matcher
  std::string calibration_source;  ///< the pairs
  std::int64_t calibration_pairs = 0;
  io::Json evidence = {};  ///< see evidence_json
};

/// Writes both files, operator.json last; it holds the fingerprint of the other. NumericalError
/// when a weight is not finite.
void save_transport(const std::filesystem::path& folder, const TransportArtefact& artefact);

/// Reads an artefact back. DataError names the file and the field or tensor when something is
/// missing, of another shape, not finite, of an unknown version, when the folder holds the operator
/// of a network with attention, or when the two files do not belong together.
TransportArtefact load_transport(const std::filesystem::path& folder);

/// The same for the bytes of operator.json and operator.safetensors; `folder` is for messages.
TransportArtefact parse_transport(std::string_view description, std::string_view tensors,
                                  const std::filesystem::path& folder);

/// DataError, naming both fingerprints, unless `artefact` was compiled for this matcher.
void require_compiled_for(const TransportArtefact& artefact, const std::filesystem::path& folder,
                          const std::string& model_fingerprint);

}  // namespace asap::compile
