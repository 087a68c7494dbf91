#pragma once

#include <optional>
#include <string>

#include "evaluate/compare/cascade.h"

namespace asap::evaluate {

/// The threshold of a compiled method, chosen on training data of the run: as choose_threshold.
/// `model` is the network of the run with an operator.
CascadeThreshold run_threshold(const bundle::TrainedModel& model, const std::filesystem::path& run,
                               const Method& method, const CascadeConfig& config, int threads);

/// The threshold that a bundle holds for a method with a cascade. UsageError, which names `source`,
/// where it holds none, or one of another method or, where `limit` is given, of another share.
CascadeThreshold stored_threshold(const std::optional<bundle::StoredCascade>& stored,
                                  const std::string& source, const Method& method,
                                  std::optional<double> limit);

}  // namespace asap::evaluate
