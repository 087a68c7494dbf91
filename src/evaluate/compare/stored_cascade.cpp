#include "evaluate/compare/stored_cascade.h"

#include "base/error.h"
#include "base/text.h"

namespace asap::evaluate {

CascadeThreshold run_threshold(const bundle::TrainedModel& model, const std::filesystem::path& run,
                               const Method& method, const CascadeConfig& config, int threads) {
  return calibrated_threshold(model.encoder, method, model.compiled->heads,
                              draw_cascade_calibration(run, model.compiled->config, config),
                              threads);
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
  return stored->threshold;
}

}  // namespace asap::evaluate
