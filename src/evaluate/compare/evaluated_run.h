#pragma once

#include <filesystem>
#include <optional>

#include "bundle/trained_model.h"
#include "evaluate/compare/comparison.h"
#include "evaluate/compare/method.h"
#include "evaluate/compare/report_context.h"
#include "infer/encoder.h"

namespace asap::evaluate {

/// A trained network, from a run or a bundle, perhaps its compiled operator, and the test data it
/// is judged on.
struct EvaluatedRun {
  infer::Encoder encoder;
  std::optional<compile::OperatorArtefact> artefact;
  data::Dataset dataset;
  ReportContext context;  ///< its commands so far: training and, with an operator, compiling
  std::string arguments;  ///< " --run RUN --compiled OP" or " --model FILE", for the command that
                          ///< reproduces the report
  bool is_bundle = false;
  std::optional<bundle::StoredCascade> cascade = {};  ///< the bundle's

  const CompiledHeads* compiled() const { return artefact ? &artefact->heads : nullptr; }
};

/// What a run (a folder) or a bundle (a file) says about its own evaluation.
struct EvaluationDefaults {
  config::DataConfig data;                                 ///< it was trained on
  std::optional<compile::OperatorArtefact> artefact = {};  ///< in `compiled`, else the bundle's
  std::optional<bundle::StoredCascade> cascade = {};       ///< the bundle's
};
EvaluationDefaults evaluation_defaults(const std::filesystem::path& path,
                                       const std::filesystem::path& compiled);

/// Loads the network of a run (a folder) or a bundle (a file), the compiled operator (unless
/// `compiled` is empty; else the bundle's) and the first `examples` (0: all) of the test data.
/// DataError when the operator was compiled for another model, or a bundle's classes are not those
/// of the data.
EvaluatedRun load_evaluated_run(const std::filesystem::path& path,
                                const std::filesystem::path& compiled,
                                const config::DataConfig& data, std::int64_t examples);

/// What the compiled operator imitates, and how well, on the first `examples` test examples (0: not
/// measured). Expects an operator.
OperatorEvidence judge_operator(const EvaluatedRun& run, std::int64_t examples,
                                const distributed::Workers& workers);

}  // namespace asap::evaluate
