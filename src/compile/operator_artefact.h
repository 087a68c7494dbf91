#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "attention/operators/compiled_operator.h"
#include "compile/compile_config.h"

namespace asap::compile {

/// A compiled operator as it lies on disk:
///   OP/operator.safetensors  layers.<i>.{query_slices, key_slices [H, L, D], weights [H, P],
///                            score_scales [H], landmarks [H, M, D], column_errors [H, E],
///                            teacher_column_errors [H]}; no slices or landmarks where no feature
///                            uses them; P counts all weights of attention::DualMap; column errors
///                            ascend over E examples, see attention::ColumnErrors;
///                            with fit.mode key_bias, query_slices are for keys, key_slices for
///                            queries, and landmarks are prototypes of queries
///   OP/operator.json         format and version, the model it was compiled for, features, how it
///   was fitted
struct OperatorArtefact {
  static constexpr const char* kFormat = "asap-operator";
  static constexpr int kVersion = 2;
  /// The version before it, which had neither landmarks nor corrected iterations nor column errors,
  /// is read too.
  static constexpr int kOldestVersion = 1;

  std::vector<std::vector<attention::CompiledHead>>
      heads;                       ///< [layer][head], all with the same features
  std::int64_t head_width = 0;     ///< D
  int teacher_iterations = 0;      ///< T
  std::string model_fingerprint;   ///< empty when compiled from bare activations
  std::string calibration_source;  ///< what the examples were
  CompileConfig config;            ///< how it was fitted
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
