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

namespace {

/// The cheapest candidate that is the teacher's whole loop; none: their number.
std::size_t whole_loop(const std::vector<Candidate>& candidates) {
  int most = 1;
  for (const Candidate& one : candidates) most = std::max(most, one.iterations);
  const auto is_whole = [&](const Candidate& one) { return one.iterations == most; };
  return static_cast<std::size_t>(std::ranges::find_if(candidates, is_whole) - candidates.begin());
}

/// The first of these that is within the error; or the whole loop, where that one saves less of its
/// time than a model of time can tell.
std::size_t cheapest_within(const OperatorChoice& choice, std::size_t layer, std::size_t whole) {
  constexpr double kLeastGain = 0.1;
  const std::vector<Candidate>& all = choice.candidates;
  const auto fits = [&](const Candidate& one) { return one.errors[layer] <= choice.error; };
  const auto within = static_cast<std::size_t>(std::ranges::find_if(all, fits) - all.begin());
  if (within < all.size() && whole < all.size() && fits(all[whole]) &&
      all[within].nanoseconds > (1 - kLeastGain) * all[whole].nanoseconds)
    return whole;
  return within;
}

}  // namespace

void choose_operator(OperatorChoice& choice) {
  const std::vector<Candidate>& all = choice.candidates;
  const std::size_t layers = all.at(0).errors.size(), whole = whole_loop(all);
  choice.chosen.assign(layers, 0);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const auto error = [&](std::size_t c) { return all[c].errors[layer]; };
    std::size_t exact = 0, affordable = all.size();
    for (std::size_t c = 0; c < all.size(); ++c) {
      if (error(c) < error(exact)) exact = c;
      if (all[c].nanoseconds <= choice.budget * choice.softmax_nanoseconds &&
          (affordable == all.size() || error(c) < error(affordable)))
        affordable = c;
    }
    const std::size_t within = cheapest_within(choice, layer, whole);
    if (choice.budget > 0)
      choice.chosen[layer] = affordable < all.size() ? affordable : 0;
    else
      choice.chosen[layer] = within < all.size() ? within : exact;
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
  const std::size_t whole = whole_loop(choice.candidates);
  const bool has_loop = whole < choice.candidates.size();
  const bool keeps_loop = has_loop && chosen.iterations == choice.candidates[whole].iterations;
  const std::string limit = "an error of at most " + base::format_significant(choice.error);
  if (choice.budget > 0)
    words += chosen.nanoseconds <= choice.budget * choice.softmax_nanoseconds
                 ? "; the most exact within the budget"
                 : "; nothing is within the budget, and this is the cheapest";
  else if (error > choice.error)
    words += "; nothing has " + limit + ", and this is the most exact";
  else if (keeps_loop)
    words += "; keep the loop: nothing with " + limit + " saves a tenth of its time";
  else
    words += "; the cheapest with " + limit;
  if (has_loop && !keeps_loop)
    words += "; the whole loop takes " + times(choice.candidates[whole].nanoseconds, choice);
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
