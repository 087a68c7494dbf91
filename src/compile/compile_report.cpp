#include "compile/compile_report.h"

namespace asap {
namespace {

Json evidence_json(const HeadEvidence& evidence) {
  return {{"dual_r2", evidence.dual_r2},
          {"plan_l1", evidence.plan_l1},
          {"plan_kl", evidence.plan_kl},
          {"column_error", evidence.column_error},
          {"teacher_column_error", evidence.teacher_column_error},
          {"output_error", evidence.output_error}};
}

}  // namespace

OperatorArtefact make_artefact(const CompiledModel& model, const Activations& activations,
                               const CompileConfig& config) {
  OperatorArtefact artefact;
  artefact.heads = model.heads;
  artefact.head_width = activations.layers.at(0).queries.shape()[1] / activations.heads;
  artefact.teacher_iterations = activations.iterations;
  artefact.model_fingerprint = activations.model_fingerprint;
  artefact.calibration_source = activations.source;
  artefact.config = config;
  return artefact;
}

Json compile_summary(const CompiledModel& model, const Activations& activations,
                     const CompileConfig& config) {
  Json heads = Json::array();
  std::vector<HeadEvidence> all;
  for (std::size_t layer = 0; layer < model.evidence.size(); ++layer)
    for (std::size_t head = 0; head < model.evidence[layer].size(); ++head) {
      all.push_back(model.evidence[layer][head]);
      Json row = evidence_json(all.back());
      row["layer"] = layer;
      row["head"] = head;
      heads.push_back(std::move(row));
    }
  return {{"heads", std::move(heads)},
          {"mean", evidence_json(mean_evidence(all))},
          {"calibration",
           {{"source", activations.source},
            {"fitted_examples", model.fitted_examples},
            {"held_out_examples", model.held_out_examples}}},
          {"model_fingerprint", activations.model_fingerprint},
          {"teacher_iterations", activations.iterations},
          {"fit", fit_json(config)}};
}

}  // namespace asap
