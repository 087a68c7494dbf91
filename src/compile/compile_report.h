#pragma once

#include "compile/compile_heads.h"
#include "compile/operator_artefact.h"
#include "io/json.h"

namespace asap {

/// The artefact of a compiled model.
OperatorArtefact make_artefact(const CompiledModel& model, const Activations& activations,
                               const CompileConfig& config);

/// What summary.json holds: heads[] with layer, head and every number of HeadEvidence, and their
/// mean.
Json compile_summary(const CompiledModel& model, const Activations& activations,
                     const CompileConfig& config);

}  // namespace asap
