#include "evaluate/study/diagnosis_verdict.h"

#include <algorithm>

#include "base/counted.h"
#include "base/format.h"

namespace asap::evaluate {
namespace {

constexpr double kFar = 0.1;     // column error of a plan that is far from doubly stochastic
constexpr double kHelps = 0.5;   // another method helps if it leaves at most this share of an error
constexpr double kStrong = 4.0;  // times the share that uniform attention gives every key

struct HeadPlace {
  std::size_t layer = 0, head = 0;

  std::string text() const {
    return "layer " + std::to_string(layer) + ", head " + std::to_string(head);
  }
};

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

/// Where a measure is largest.
HeadPlace largest(const MethodDiagnosis& method, double PlanMeasures::*measure) {
  HeadPlace place;
  for (std::size_t layer = 0; layer < method.heads.size(); ++layer)
    for (std::size_t head = 0; head < method.heads[layer].size(); ++head)
      if (method.heads[layer][head].*measure > method.heads[place.layer][place.head].*measure)
        place = {layer, head};
  return place;
}

int count_far(const MethodDiagnosis& method, int& heads) {
  int far = 0;
  heads = 0;
  for (const auto& layer : method.heads)
    for (const PlanMeasures& head : layer) {
      ++heads;
      if (head.column_error > kFar) ++far;
    }
  return far;
}

/// "; compiled+3 brings 0.020" or, without a method that helps, what more iterations bring.
std::string remedy(const Diagnosis& diagnosis, const MethodDiagnosis& teacher, HeadPlace place) {
  const double error = teacher.heads[place.layer][place.head].column_error;
  const MethodDiagnosis* best = nullptr;
  const auto error_of = [&](const MethodDiagnosis& method) {
    return method.heads[place.layer][place.head].column_error;
  };
  for (const MethodDiagnosis& method : diagnosis.methods)
    if (method.name != "teacher" && error_of(method) <= kHelps * error &&
        (!best || error_of(method) < error_of(*best)))
      best = &method;
  if (best) return "; " + best->name + " brings " + base::format_fixed(error_of(*best), 3);
  if (teacher.column_errors.empty()) return "";
  const std::vector<double>& errors = teacher.column_errors[place.layer][place.head];
  if (errors.size() < 2 || errors.back() > kHelps * error) return "";
  return "; " + std::to_string(errors.size() - 1) + " Sinkhorn iterations bring " +
         base::format_fixed(errors.back(), 3);
}

std::string convergence_words(const Diagnosis& diagnosis, const MethodDiagnosis& teacher) {
  const HeadPlace place = largest(teacher, &PlanMeasures::column_error);
  const std::string error =
      base::format_fixed(teacher.heads[place.layer][place.head].column_error, 3);
  int heads = 0;
  const int far = count_far(teacher, heads);
  if (far == 0)
    return "Every head is near convergence: the largest column error is " + error + ", in " +
           place.text() + ".";
  std::string words = capitalised(place.text()) + " is far from converged: column error " + error +
                      remedy(diagnosis, teacher, place) + ".";
  if (far > 1)
    words += " " + std::to_string(far) + " of " + base::counted(heads, "head has", "heads have") +
             " column errors above " + base::format_fixed(kFar, 1) + ".";
  return words;
}

std::string sink_words(const MethodDiagnosis& teacher) {
  const HeadPlace place = largest(teacher, &PlanMeasures::sink_factor);
  const PlanMeasures& head = teacher.heads[place.layer][place.head];
  const std::string share = base::format_fixed(100 * head.sink_share, 1) + " % of the attention, ";
  const std::string factor = base::format_fixed(head.sink_factor, 1) + " times its share";
  if (head.sink_factor < kStrong)
    return "No head has an attention sink: the most attended key receives " + share + factor +
           ", in " + place.text() + ".";
  return capitalised(place.text()) + " has an attention sink: one key receives " + share + factor +
         ".";
}

}  // namespace

std::vector<std::string> diagnosis_verdict(const Diagnosis& diagnosis) {
  const auto teacher = std::ranges::find(diagnosis.methods, "teacher", &MethodDiagnosis::name);
  if (teacher == diagnosis.methods.end() || teacher->heads.empty()) return {};
  std::vector<std::string> words;
  if (diagnosis.teacher_iterates) words.push_back(convergence_words(diagnosis, *teacher));
  words.push_back(sink_words(*teacher));
  return words;
}

}  // namespace asap::evaluate
