#include "compile/compile_report.h"

namespace asap::compile {

io::Json evidence_json(const HeadEvidence& evidence) {
  return {{"dual_r2", evidence.dual_r2},
          {"plan_l1", evidence.plan_l1},
          {"plan_kl", evidence.plan_kl},
          {"column_error", evidence.column_error},
          {"teacher_column_error", evidence.teacher_column_error},
          {"output_error", evidence.output_error}};
}

io::Json heads_json(const std::vector<std::vector<HeadEvidence>>& heads) {
  io::Json rows = io::Json::array();
  for (std::size_t layer = 0; layer < heads.size(); ++layer)
    for (std::size_t head = 0; head < heads[layer].size(); ++head) {
      io::Json row = evidence_json(heads[layer][head]);
      row["layer"] = layer;
      row["head"] = head;
      rows.push_back(std::move(row));
    }
  return rows;
}

OperatorArtefact make_artefact(const CompiledModel& model, const TeacherDescription& teacher) {
  OperatorArtefact artefact;
  artefact.heads = model.heads;
  artefact.head_width = teacher.head_width;
  artefact.teacher_iterations = teacher.iterations;
  artefact.model_fingerprint = teacher.model_fingerprint;
  artefact.calibration_source = teacher.source;
  artefact.config = model.config;
  return artefact;
}

io::Json compile_summary(const CompiledModel& model, const TeacherDescription& teacher) {
  const CompileConfig& config = model.config;
  io::Json candidates = io::Json::array();
  for (const Candidate& candidate : model.candidates)
    candidates.push_back(
        {{"features", candidate.features}, {"mean", evidence_json(candidate.mean)}});
  return {{"heads", heads_json(model.evidence)},
          {"candidates", std::move(candidates)},
          {"mean", evidence_json(mean_evidence(model.evidence))},
          {"calibration",
           {{"source", teacher.source},
            {"data", config::to_json(config.data)},
            {"fitted_examples", model.fitted_examples},
            {"held_out_examples", model.held_out_examples}}},
          {"model_fingerprint", teacher.model_fingerprint},
          {"teacher_iterations", teacher.iterations},
          {"fit", fit_json(config)}};
}

}  // namespace asap::compile
