#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "evaluate/compare/method.h"
#include "infer/encoder.h"

namespace asap::evaluate {

/// Column errors of one compiled head on new examples, against those on the examples it was
/// calibrated on.
struct HeadDrift {
  int layer = 0;
  int head = 0;
  std::vector<float> calibration, live;  ///< one column error per example, ascending
  double distance = 0;                   ///< Kolmogorov and Smirnov's of the two
  /// Of at least this distance if both came from one distribution, times the number of heads: see
  /// kolmogorov_smirnov_probability. At most 1.
  double probability = 1;
  double beyond = 0;  ///< share of the new errors above the .95 quantile of the calibration
  bool shifted = false;

  double calibration_median() const;
  double median() const;
};

struct Drift {
  std::vector<HeadDrift> heads;  ///< layer by layer
  std::int64_t examples = 0;
  std::string examples_name = "images";
  double level = 0;  ///< a head is shifted when its probability is below this
  int threads = 1;

  bool shifted() const;
  /// Whether there are enough examples for a verdict: a head whose errors here were all larger than
  /// those of the calibration would be called shifted.
  bool can_tell() const;
};

struct DriftSettings {
  std::int64_t examples = 0;  ///< drawn by `seed`; 0: all
  std::uint64_t seed = 1;
  double level = 1e-3;
  std::optional<int> imitated_iterations = {};  ///< see ComparisonSettings
  int threads = 1;
};

/// Runs the teacher over examples whose labels are not read, certifies every compiled head on the
/// inputs that it would get, as asap-compile did on the calibration examples, and tests every head.
/// The probability that any head of a network is called shifted, when nothing has shifted, is at
/// most `level`. The same for any number of threads. UsageError when the operator holds no column
/// errors or there are no examples.
Drift measure_drift(const infer::Encoder& encoder, const CompiledHeads& heads,
                    const data::Dataset& dataset, const DriftSettings& settings);

/// The verdict first: whether the inputs look like those of the calibration, or which heads have
/// shifted, the most shifted ones first.
std::vector<std::string> drift_words(const Drift& drift);

}  // namespace asap::evaluate
