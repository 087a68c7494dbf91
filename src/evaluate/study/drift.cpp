#include "evaluate/study/drift.h"

#include <algorithm>
#include <iterator>

#include "base/counted.h"
#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "compile/calibration.h"
#include "compile/column_errors.h"
#include "data/model_fit.h"
#include "numerics/two_samples.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kDriftChunk = 64;  // examples whose activations are in memory at once
constexpr std::size_t kMostNamed = 4;     // heads that a verdict names
constexpr double kTail = 0.95;

double median_of(const std::vector<float>& sorted) {
  return attention::ColumnErrors{.sorted = sorted}.quantile(0.5);
}

void check_measured(const CompiledHeads& heads) {
  for (const auto& layer : heads)
    for (const attention::CompiledHead& head : layer) {
      if (head.slack > 0)
        throw base::UsageError(
            "drift compares column errors, and attention with slack has none: its columns may sum "
            "to less than their bound",
            "asap-eval compare --set data.path=DIR says how often operator and teacher agree on "
            "other data");
      if (!head.column_errors.measured())
        throw base::UsageError("this compiled operator holds no column errors to compare with",
                               "compile it again with this version of asap-compile, in mode "
                               "row_dual: key biases have none");
    }
}

/// In the order of the examples.
compile::ColumnErrorsByHead live_errors(const infer::Encoder& encoder, const CompiledHeads& heads,
                                        const data::Dataset& dataset,
                                        std::span<const std::int64_t> examples,
                                        const DriftSettings& settings) {
  compile::ColumnErrorsByHead all;
  for (const auto& layer : heads) all.emplace_back(layer.size());
  for (std::size_t first = 0; first < examples.size(); first += kDriftChunk) {
    const auto part =
        examples.subspan(first, std::min<std::size_t>(kDriftChunk, examples.size() - first));
    const compile::ResidentActivations source(compile::capture_activations(
        encoder, dataset, part, settings.imitated_iterations, settings.threads));
    const compile::ColumnErrorsByHead errors =
        compile::measure_column_errors(source, heads, {0, std::ssize(part)}, settings.threads);
    for (std::size_t layer = 0; layer < errors.size(); ++layer)
      for (std::size_t head = 0; head < errors[layer].size(); ++head)
        std::ranges::copy(errors[layer][head].errors, std::back_inserter(all[layer][head].errors));
  }
  return all;
}

HeadDrift judge_head(const attention::ColumnErrors& calibration, std::vector<float> live,
                     double heads, double level) {
  HeadDrift head;
  head.calibration = calibration.sorted;
  head.live = std::move(live);
  std::ranges::sort(head.live);
  head.distance = numerics::kolmogorov_smirnov_distance(head.calibration, head.live);
  head.probability = std::min(
      1.0, heads * numerics::kolmogorov_smirnov_probability(
                       head.distance, std::ssize(head.calibration), std::ssize(head.live)));
  const auto limit = static_cast<float>(calibration.quantile(kTail));
  const auto beyond = head.live.end() - std::ranges::upper_bound(head.live, limit);
  head.beyond = static_cast<double>(beyond) / static_cast<double>(head.live.size());
  head.shifted = head.probability < level;
  return head;
}

}  // namespace

double HeadDrift::calibration_median() const { return median_of(calibration); }

double HeadDrift::median() const { return median_of(live); }

bool Drift::shifted() const { return std::ranges::any_of(heads, &HeadDrift::shifted); }

bool Drift::can_tell() const {
  return std::ranges::any_of(heads, [&](const HeadDrift& head) {
    return static_cast<double>(heads.size()) *
               numerics::kolmogorov_smirnov_probability(1, std::ssize(head.calibration),
                                                        std::ssize(head.live)) <
           level;
  });
}

Drift measure_drift(const infer::Encoder& encoder, const CompiledHeads& heads,
                    const data::Dataset& dataset, const DriftSettings& settings) {
  if (dataset.size() == 0) throw base::UsageError("there are no examples");
  check_measured(heads);
  data::fit_model_to_data(encoder.config(), dataset, "the trained model");
  const std::int64_t wanted = settings.examples == 0 ? dataset.size() : settings.examples;
  std::vector<std::int64_t> examples =
      compile::draw_examples(dataset.size(), std::min(wanted, dataset.size()), settings.seed);
  // Neighbours in length share a batch, which is padded to the longest.
  std::ranges::sort(examples, {}, [&](std::int64_t example) {
    return std::pair(dataset.tokens(example), example);
  });
  compile::ColumnErrorsByHead errors = live_errors(encoder, heads, dataset, examples, settings);
  if (errors.at(0).at(0).errors.empty()) throw base::UsageError("no example has any tokens");
  Drift drift{{},
              std::ssize(errors[0][0].errors),
              data::examples_name(dataset.kind),
              settings.level,
              settings.threads};
  const auto count = static_cast<double>(heads.size() * heads[0].size());
  for (std::size_t layer = 0; layer < heads.size(); ++layer)
    for (std::size_t h = 0; h < heads[layer].size(); ++h) {
      HeadDrift head = judge_head(heads[layer][h].column_errors, std::move(errors[layer][h].errors),
                                  count, settings.level);
      head.layer = static_cast<int>(layer);
      head.head = static_cast<int>(h);
      drift.heads.push_back(std::move(head));
    }
  return drift;
}

std::vector<std::string> drift_words(const Drift& drift) {
  const std::string test =
      "Every head's column errors on " + base::counted_plural(drift.examples, drift.examples_name) +
      " against those on " +
      base::counted(std::ssize(drift.heads.at(0).calibration), "calibration example") +
      ", by Kolmogorov and Smirnov's distance; with unchanged inputs the "
      "chance of a false alarm is at most " +
      base::format_significant(drift.level) + ".";
  if (!drift.shifted() && !drift.can_tell())
    return {
        "Too few examples to tell whether inputs have shifted: no column errors, however large, "
        "would be called a shift.",
        test};
  if (!drift.shifted()) return {"Inputs look like those of the calibration.", test};
  std::vector<const HeadDrift*> shifted;
  for (const HeadDrift& head : drift.heads)
    if (head.shifted) shifted.push_back(&head);
  std::ranges::stable_sort(shifted, std::ranges::greater{},
                           [](const HeadDrift* head) { return head->distance; });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(shifted.size(), kMostNamed); ++i)
    names.push_back("layer " + std::to_string(shifted[i]->layer) + ", head " +
                    std::to_string(shifted[i]->head) + " (median column error " +
                    base::format_significant(shifted[i]->median()) + " instead of " +
                    base::format_significant(shifted[i]->calibration_median()) + ")");
  if (shifted.size() > kMostNamed)
    names.push_back(
        base::format_count(std::ssize(shifted) - static_cast<std::int64_t>(kMostNamed)) +
        " more of " + base::counted(std::ssize(drift.heads), "head"));
  return {"Shifted: " + base::join(names, "; ") + ".", test,
          "Calibrate on examples like these (asap-compile --set data...), or let heads iterate "
          "where it matters: the method guarded of asap-eval compare."};
}

}  // namespace asap::evaluate
