#pragma once

#include "compile/compile_heads.h"
#include "compile/operator_artefact.h"
#include "io/json.h"

namespace asap::compile {

/// The numbers of HeadEvidence by name.
io::Json evidence_json(const HeadEvidence& evidence);

/// The same of every head, with its `layer` and `head`.
io::Json heads_json(const std::vector<std::vector<HeadEvidence>>& heads);

/// What a user should know of heads whose operator or teacher does not do what is expected: plans
/// far from the teacher's, teachers far from converged; one sentence each, with what to do.
std::vector<std::string> compile_notes(const CompiledModel& model, int teacher_iterations);

/// What operator.json says of the choice: per layer what was taken, why, and the frontier of error
/// and time.
io::Json choice_json(const OperatorChoice& choice);

/// The artefact of a compiled model.
OperatorArtefact make_artefact(const CompiledModel& model, const TeacherDescription& teacher);

/// What summary.json holds: heads[] with layer, head and every number of HeadEvidence, their mean,
/// and the sets of features that were tried.
io::Json compile_summary(const CompiledModel& model, const TeacherDescription& teacher);

}  // namespace asap::compile
