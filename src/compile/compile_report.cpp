#include "compile/compile_report.h"

#include <algorithm>

#include "base/counted.h"
#include "base/format.h"

namespace asap::compile {
namespace {

/// Rows of a plan sum to 1, so two plans differ by 2 at most.
constexpr double kLargePlanL1 = 0.1;
constexpr double kLargeColumnError = 0.1;

}  // namespace

io::Json evidence_json(const HeadEvidence& evidence) {
  return {{"dual_r2", evidence.dual_r2},
          {"plan_l1", evidence.plan_l1},
          {"plan_kl", evidence.plan_kl},
          {"column_error", evidence.column_error},
          {"teacher_column_error", evidence.teacher_column_error},
          {"output_error", evidence.output_error}};
}

namespace {

io::Json column_errors_json(const attention::ColumnErrors& errors) {
  if (!errors.measured()) return nullptr;
  return {{"median", errors.quantile(0.5)}, {"q90", errors.quantile(0.9)},
          {"q95", errors.quantile(0.95)},   {"q99", errors.quantile(0.99)},
          {"largest", errors.quantile(1)},  {"examples", errors.sorted.size()}};
}

/// What brings plans nearer to the teacher's.
std::string remedy(const CompileConfig& config, bool slack) {
  if (config.chooses_operator() || config.chooses_bias()) {
    if (config.budget > 0)
      return "a larger budget takes a more exact operator, such as budget=" +
             base::format_significant(2 * config.budget);
    return "a lower error takes a more exact operator, such as error=" +
           base::format_significant(std::min(0.01, config.error / 3));
  }
  if (config.mode == attention::CompiledMode::key_bias)
    return "more landmarks help, such as features=gau,lin,tilt,landmarks:64";
  if (config.objective != DualObjective::ridge)
    return "objective=ridge with features=auto takes what is exact enough";
  if (slack) return "more corrected iterations help, such as features=lse,lse0,it:4";
  return "more landmarks or corrected iterations help, such as features="
         "lse,lse0,landmarks:32,it:4";
}

}  // namespace

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

std::vector<std::string> compile_notes(const CompiledModel& model, int teacher_iterations) {
  std::vector<std::string> notes;
  for (std::size_t layer = 0; layer < model.evidence.size(); ++layer)
    for (std::size_t head = 0; head < model.evidence[layer].size(); ++head) {
      const HeadEvidence& evidence = model.evidence[layer][head];
      const std::string name =
          "layer " + std::to_string(layer) + ", head " + std::to_string(head) + ": ";
      if (evidence.plan_l1 > kLargePlanL1)
        notes.push_back(name + "the plan is far from the teacher's (plan L1 " +
                        base::format_fixed(evidence.plan_l1, 2) + "); " +
                        remedy(model.config, model.heads[layer][head].slack > 0));
      if (evidence.teacher_column_error > kLargeColumnError)
        notes.push_back(name + "the teacher is far from converged (column error " +
                        base::format_fixed(evidence.teacher_column_error, 2) + " after " +
                        base::counted(teacher_iterations, "iteration") +
                        "); the operator imitates that, and compiled+K leaves it; "
                        "train with more iterations or a larger epsilon where plans must be "
                        "doubly stochastic");
    }
  return notes;
}

io::Json choice_json(const OperatorChoice& choice) {
  io::Json layers = io::Json::array();
  for (std::size_t layer = 0; layer < choice.chosen.size(); ++layer) {
    io::Json best = io::Json::array();
    for (const std::size_t c : frontier(choice, layer)) {
      const Candidate& candidate = choice.candidates[c];
      best.push_back({{"operator", candidate.name()},
                      {"error", candidate.errors[layer]},
                      {"over_softmax", candidate.nanoseconds / choice.softmax_nanoseconds}});
    }
    layers.push_back({{"operator", choice.of(layer).name()},
                      {"why", choice_words(choice, layer)},
                      {"frontier", std::move(best)}});
  }
  io::Json json = {{"instruction_set", choice.instruction_set},
                   {"error", choice.error},
                   {"budget", choice.budget},
                   {"over_softmax", choice.over_softmax()},
                   {"layers", std::move(layers)}};
  if (!choice.profile.empty()) json["profile"] = choice.profile;
  return json;
}

OperatorArtefact make_artefact(const CompiledModel& model, const TeacherDescription& teacher) {
  OperatorArtefact artefact;
  artefact.heads = model.heads;
  artefact.head_width = teacher.head_width;
  artefact.teacher_iterations = teacher.iterations;
  artefact.model_fingerprint = teacher.model_fingerprint;
  artefact.calibration_source = teacher.source;
  artefact.other_data = teacher.other_data;
  artefact.config = model.config;
  artefact.choice = choice_json(model.choice);
  return artefact;
}

io::Json compile_summary(const CompiledModel& model, const TeacherDescription& teacher) {
  const CompileConfig& config = model.config;
  io::Json candidates = io::Json::array();
  for (const Candidate& candidate : model.choice.candidates)
    candidates.push_back(
        {{"operator", candidate.name()},
         {"errors", candidate.errors},
         {"over_softmax", candidate.nanoseconds / model.choice.softmax_nanoseconds}});
  io::Json heads = heads_json(model.evidence);
  for (io::Json& row : heads) {
    const attention::CompiledHead& head =
        model.heads[row["layer"].get<std::size_t>()][row["head"].get<std::size_t>()];
    row["column_errors"] = column_errors_json(head.column_errors);
  }
  return {{"heads", std::move(heads)},
          {"candidates", std::move(candidates)},
          {"choice", choice_json(model.choice)},
          {"notes", compile_notes(model, teacher.iterations)},
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
