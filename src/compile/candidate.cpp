#include "compile/candidate.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/text.h"

namespace asap::compile {

std::string Candidate::name() const {
  return (features.empty() ? "sinkhorn:" + std::to_string(iterations) : base::join(features, ",")) +
         (precision == attention::ProductPrecision::bfloat16 ? " in bfloat16" : "");
}

double OperatorChoice::over_softmax() const {
  double total = 0;
  for (std::size_t layer = 0; layer < chosen.size(); ++layer) total += of(layer).nanoseconds;
  return total / (static_cast<double>(chosen.size()) * softmax_nanoseconds);
}

double error_of_layers(double error, std::int64_t layers) {
  constexpr double kShallow = 3;
  return error * std::sqrt(kShallow / std::max(kShallow, static_cast<double>(layers)));
}

void choose_operator(OperatorChoice& choice) {
  const std::size_t layers = choice.candidates.at(0).errors.size();
  choice.chosen.assign(layers, 0);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const auto error = [&](std::size_t c) { return choice.candidates[c].errors[layer]; };
    std::size_t exact = 0, within = choice.candidates.size(), affordable = within;
    for (std::size_t c = 0; c < choice.candidates.size(); ++c) {
      if (error(c) < error(exact)) exact = c;
      if (error(c) <= choice.error && within == choice.candidates.size()) within = c;
      if (choice.candidates[c].nanoseconds <= choice.budget * choice.softmax_nanoseconds &&
          (affordable == choice.candidates.size() || error(c) < error(affordable)))
        affordable = c;
    }
    if (choice.budget > 0)
      choice.chosen[layer] = affordable < choice.candidates.size() ? affordable : 0;
    else
      choice.chosen[layer] = within < choice.candidates.size() ? within : exact;
  }
}

std::vector<std::size_t> frontier(const OperatorChoice& choice, std::size_t layer) {
  std::vector<std::size_t> best;
  for (std::size_t c = 0; c < choice.candidates.size(); ++c)
    if (best.empty() ||
        choice.candidates[c].errors[layer] < choice.candidates[best.back()].errors[layer])
      best.push_back(c);
  return best;
}

namespace {

std::string times(double nanoseconds, const OperatorChoice& choice) {
  return base::format_fixed(nanoseconds / choice.softmax_nanoseconds, 2);
}

}  // namespace

std::string choice_words(const OperatorChoice& choice, std::size_t layer) {
  const Candidate& chosen = choice.of(layer);
  const double error = chosen.errors[layer];
  std::string words = "layer " + std::to_string(layer) + ": " + chosen.name() + ", error " +
                      base::format_fixed(error, 4) + ", " + times(chosen.nanoseconds, choice) +
                      " times softmax's attention time";
  if (choice.candidates.size() == 1) return words;
  if (choice.budget > 0)
    words += chosen.nanoseconds <= choice.budget * choice.softmax_nanoseconds
                 ? "; the most exact within the budget"
                 : "; nothing is within the budget, and this is the cheapest";
  else
    words +=
        error <= choice.error
            ? "; the cheapest with an error of at most " + base::format_significant(choice.error)
            : "; nothing has an error of at most " + base::format_significant(choice.error) +
                  ", and this is the most exact";
  const Candidate* loop = nullptr;
  for (const Candidate& candidate : choice.candidates)
    if (candidate.features.empty() && (!loop || candidate.iterations > loop->iterations))
      loop = &candidate;
  const bool keeps_loop = loop && chosen.features.empty() && chosen.iterations == loop->iterations;
  if (loop && !keeps_loop)
    words += "; the whole loop takes " + times(loop->nanoseconds, choice);
  else if (loop && choice.budget == 0)
    words += "; keep the loop: no map is as cheap";
  return words;
}

OperatorForm form_of(const attention::CompiledHead& head) {
  if (!head.predicts()) return OperatorForm::sinkhorn(head.iterations, head.precision);
  return {
      .mode = head.mode,
      .features = head.features,
      .slices = head.features.uses_slices() ? static_cast<int>(head.query_slices.shape()[0]) : 0,
      .teacher_iterations = head.teacher_iterations,
      .precision = head.precision};
}

}  // namespace asap::compile
