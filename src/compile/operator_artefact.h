#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "attention/operators/compiled_operator.h"
#include "compile/compile_config.h"
#include "io/json.h"

namespace asap::compile {

/// A compiled operator as it lies on disk:
///   OP/operator.safetensors  layers.<i>.{query_slices, key_slices [H, L, D], weights [H, P],
///                            score_scales [H], landmarks [H, M, D], column_errors [H, E],
///                            column_error_bounds [H, E], teacher_column_errors [H], slacks [H]};
///                            no slacks where the teacher has none, no slices or landmarks where no
///                            feature uses them, and no weights in a layer that runs Sinkhorn's
///                            loop; P counts all weights of attention::DualMap; column errors and
///                            their bounds ascend over E examples, see attention::ColumnErrors;
///                            with fit.mode key_bias, query_slices are for keys, key_slices for
///                            queries, and landmarks are prototypes of queries
///   OP/operator.json         format and version, the model it was compiled for, how it was fitted,
///                            `operators` with what each layer runs: {"features", "precision",
///                            "slices"} of a map or {"iterations"} of the loop
struct OperatorArtefact {
  static constexpr const char* kFormat = "asap-operator";
  static constexpr const char* kTensors = "operator.safetensors";
  static constexpr const char* kDescription = "operator.json";
  static constexpr int kVersion = 4;
  /// Written where no head has slack, so that earlier versions of the toolkit read it.
  static constexpr int kVersionWithoutSlack = 3;
  /// Older versions are read too: 3 had no slack, 2 had one set of features for all layers, 1 also
  /// had neither landmarks nor corrected iterations nor column errors.
  static constexpr int kOldestVersion = 1;

  std::vector<std::vector<attention::CompiledHead>>
      heads;                       ///< [layer][head]; those of a layer are computed alike
  std::int64_t head_width = 0;     ///< D
  int teacher_iterations = 0;      ///< T
  std::string model_fingerprint;   ///< empty when compiled from bare activations
  std::string calibration_source;  ///< what the examples were
  io::Json other_data = {};  ///< keys of their `data` that differ from the training's; null: none
  CompileConfig config;      ///< how it was fitted
  io::Json choice = {};      ///< why: see choice_json; null when it is not known
};

/// Writes both files, operator.json last; it holds the fingerprint of the other.
void save_operator(const std::filesystem::path& folder, const OperatorArtefact& artefact);

/// Reads an artefact back. Every length is checked: DataError names the file and the field or
/// tensor when something is missing, of another shape, not finite, of an unknown version, or when
/// the two files do not belong together.
OperatorArtefact load_operator(const std::filesystem::path& folder);

/// The same for the bytes of operator.json and operator.safetensors; `folder` is for messages.
OperatorArtefact parse_operator(std::string_view description, std::string_view tensors,
                                const std::filesystem::path& folder);

/// DataError, naming both fingerprints, unless `artefact` was compiled for the model with this
/// fingerprint.
void require_compiled_for(const OperatorArtefact& artefact, const std::filesystem::path& folder,
                          const std::string& model_fingerprint);

}  // namespace asap::compile
