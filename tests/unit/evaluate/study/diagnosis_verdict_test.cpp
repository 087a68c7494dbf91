#include "evaluate/study/diagnosis_verdict.h"

#include <doctest/doctest.h>

using namespace asap::evaluate;

namespace {

MethodDiagnosis two_heads(const std::string& name, double first, double second) {
  MethodDiagnosis method{
      .name = name, .heads = {}, .rank_residuals = {1, 1}, .column_errors = {}, .masses = {}};
  method.heads.resize(1, std::vector<PlanMeasures>(2));
  method.heads[0][0].column_error = first;
  method.heads[0][1].column_error = second;
  method.heads[0][0].sink_share = 0.02;
  method.heads[0][1].sink_share = 0.03;
  method.heads[0][0].sink_factor = 1;
  method.heads[0][1].sink_factor = 1.5;
  return method;
}

Diagnosis of_teacher(double first, double second) {
  Diagnosis diagnosis;
  diagnosis.teacher_iterates = true;
  diagnosis.tokens = 50;
  diagnosis.methods = {two_heads("teacher", first, second)};
  return diagnosis;
}

}  // namespace

TEST_CASE("the verdict names the head that is farthest from convergence and what helps") {
  Diagnosis diagnosis = of_teacher(0.01, 0.42);
  CHECK(diagnosis_verdict(diagnosis)[0] ==
        "Layer 0, head 1 is far from converged: column error 0.420.");
  diagnosis.methods[0].column_errors = {{{1, 0.5, 0.01}, {1, 0.8, 0.08}}};
  CHECK(diagnosis_verdict(diagnosis)[0] ==
        "Layer 0, head 1 is far from converged: column error 0.420; 2 Sinkhorn iterations bring "
        "0.080.");
  diagnosis.methods.push_back(two_heads("softmax", 0.5, 0.9));
  diagnosis.methods.push_back(two_heads("compiled", 0.02, 0.05));
  diagnosis.methods.push_back(two_heads("compiled+3", 0.01, 0.02));
  CHECK(diagnosis_verdict(diagnosis)[0] ==
        "Layer 0, head 1 is far from converged: column error 0.420; compiled+3 brings 0.020.");
  diagnosis.methods[0].heads[0][0].column_error = 0.2;
  CHECK(diagnosis_verdict(diagnosis)[0].ends_with(" 2 of 2 heads have column errors above 0.1."));
}

TEST_CASE("the verdict praises what has converged, and mentions sinks") {
  Diagnosis diagnosis = of_teacher(0.003, 0.001);
  const std::vector<std::string> words = diagnosis_verdict(diagnosis);
  REQUIRE(words.size() == 2);
  CHECK(words[0] ==
        "Every head is near convergence: the largest column error is 0.003, in layer 0, head 0.");
  CHECK(words[1] ==
        "No head has an attention sink: the most attended key receives 3.0 % of the attention, 1.5 "
        "times its share, in layer 0, head 1.");
  diagnosis.methods[0].heads[0][1].sink_share = 0.5;
  diagnosis.methods[0].heads[0][1].sink_factor = 25;
  CHECK(diagnosis_verdict(diagnosis)[1] ==
        "Layer 0, head 1 has an attention sink: one key receives 50.0 % of the attention, 25.0 "
        "times its share.");
}

TEST_CASE("a short example beside long ones is no sink: its keys receive their shares") {
  // One example of 1 token and three of 99, all with uniform attention: the mean share of a key is
  // .25, which is 19 times 1 / (mean tokens).
  Diagnosis diagnosis = of_teacher(0, 0);
  diagnosis.tokens = 74.5;
  for (PlanMeasures& head : diagnosis.methods[0].heads[0]) {
    head.sink_share = (1 + 3 / 99.0) / 4;
    head.sink_factor = 1;
  }
  CHECK(diagnosis_verdict(diagnosis)[1].starts_with("No head has an attention sink: "));
}

TEST_CASE(
    "what does not iterate is not called unconverged, and without the teacher all is silent") {
  Diagnosis diagnosis = of_teacher(0.5, 0.6);
  diagnosis.teacher_iterates = false;
  REQUIRE(diagnosis_verdict(diagnosis).size() == 1);
  CHECK(diagnosis_verdict(diagnosis)[0].find("converge") == std::string::npos);
  diagnosis.methods[0].name = "softmax";
  CHECK(diagnosis_verdict(diagnosis).empty());
}
