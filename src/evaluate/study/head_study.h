#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "evaluate/compare/evaluated_run.h"

namespace asap::evaluate {

/// What the report shows of one head on a few examples.
struct HeadStudy {
  /// The dual that the compiled operator should predict, before the teacher's last iteration, and
  /// what it predicts; centred in each example, of some queries. Empty without an operator.
  std::vector<double> target, predicted;
  double dual_r2 = std::numeric_limits<double>::quiet_NaN();  ///< of all their queries
  /// Column error of Sinkhorn's plan of the head's queries and keys after 0, 1, ... iterations.
  std::vector<double> column_errors;
};

struct NetworkStudy {
  std::int64_t examples = 0;                  ///< of the test data, the first ones
  std::vector<std::vector<HeadStudy>> heads;  ///< [layer][head]; empty when nothing was studied
};

struct StudySettings {
  int examples = 32;
  int iterations = 20;            ///< up to which column errors are followed
  int points = 240;               ///< pairs of duals to keep of a head
  std::int64_t work = 3'000'000;  ///< scores to look at; fewer examples where they are long
};

/// The same for any number of threads. Empty where the network's scores are not the products of its
/// queries and keys, or where a single example is more than the work.
NetworkStudy study_heads(const EvaluatedRun& run, const StudySettings& settings, int threads);

}  // namespace asap::evaluate
