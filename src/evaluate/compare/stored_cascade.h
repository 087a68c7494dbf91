#pragma once

#include <optional>
#include <string>

#include "bundle/trained_model.h"
#include "evaluate/compare/cascade.h"

namespace asap::evaluate {

/// What a bundle keeps of the threshold of a compiled method (without a cascade in its name).
/// `limit`: CascadeConfig::share.
bundle::StoredCascade stored_cascade(const CascadeThreshold& threshold, const Method& method,
                                     double limit);

/// The threshold that a bundle holds for a method with a cascade. UsageError, which names `source`,
/// where it holds none, or one of another method or, where `limit` is given, of another share.
CascadeThreshold stored_threshold(const std::optional<bundle::StoredCascade>& stored,
                                  const std::string& source, const Method& method,
                                  std::optional<double> limit);

}  // namespace asap::evaluate
