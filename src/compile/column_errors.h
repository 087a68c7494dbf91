#pragma once

#include <functional>
#include <limits>
#include <vector>

#include "attention/operators/compiled_operator.h"
#include "compile/activation_source.h"
#include "distributed/shared_items.h"

namespace asap::compile {

/// Of one head, by example.
struct MeasuredErrors {
  std::vector<float> errors;  ///< column errors of the plans
  std::vector<float> bounds;  ///< see attention::GuardedOperator
  /// The largest ColumnCertificate::start_error; NaN where the head has none.
  float largest_start = std::numeric_limits<float>::quiet_NaN();
};

/// [layer][head]
using ColumnErrorsByHead = std::vector<std::vector<MeasuredErrors>>;

/// The column error of every compiled head on the examples of `range` that have live queries and
/// keys, and the bound that attention::GuardedOperator gets, on the inputs that the teacher's own
/// attention makes. One pass over the source, without its teachers' duals; heads are shared out
/// to threads and ranks, and the result does not depend on their numbers. `done` is called with the
/// number of examples of every chunk. InternalError when the heads are not those of the source.
ColumnErrorsByHead measure_column_errors(
    const ActivationSource& source, const std::vector<std::vector<attention::CompiledHead>>& heads,
    const ExampleRange& range, const distributed::Workers& workers,
    const std::function<void(std::int64_t)>& done = {});

}  // namespace asap::compile
