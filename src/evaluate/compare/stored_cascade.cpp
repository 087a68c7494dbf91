#include "evaluate/compare/stored_cascade.h"

#include "base/error.h"
#include "base/text.h"

namespace asap::evaluate {

bundle::StoredCascade stored_cascade(const CascadeThreshold& threshold, const Method& method,
                                     double limit) {
  return {method.name(),      limit,
          threshold.margin,   threshold.share,
          threshold.examples, threshold.disagreements,
          threshold.missed};
}

CascadeThreshold stored_threshold(const std::optional<bundle::StoredCascade>& stored,
                                  const std::string& source, const Method& method,
                                  std::optional<double> limit) {
  const std::string needs_run =
      "a cascade chooses its threshold on training data, which the run has";
  if (!stored)
    throw base::UsageError(source + ": the bundle has no cascade",
                           "make it again with asap-eval bundle --compiled DIR --cascade, or name "
                           "the run");
  Method first_stage = method;
  first_stage.cascade = false;
  if (first_stage.name() != stored->method)
    throw base::UsageError(source + ": the bundle's cascade follows '" + stored->method +
                               "', not '" + first_stage.name() + "'",
                           needs_run);
  if (limit && *limit != stored->limit)
    throw base::UsageError(source + ": the bundle's cascade runs at most " +
                               base::format_number(stored->limit) + " of the examples again, not " +
                               base::format_number(*limit),
                           needs_run);
  return {stored->margin, stored->share, stored->examples, stored->disagreements, stored->missed};
}

}  // namespace asap::evaluate
