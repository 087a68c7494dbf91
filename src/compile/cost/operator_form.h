#pragma once

#include <cstdint>

#include "attention/operators/compiled_operator.h"

namespace asap::compile {

/// How the attention of one head is computed, as far as its time depends on it.
struct OperatorForm {
  attention::CompiledMode mode = attention::CompiledMode::row_dual;
  attention::DualFeatures features = attention::DualFeatures::none();  ///< of a map
  int slices = 0;                                                      ///< L
  int teacher_iterations = 1;                                          ///< T of a landmark dual
  int iterations = 0;  ///< K of mode sinkhorn; 0 is softmax
  attention::ProductPrecision precision = attention::ProductPrecision::single;

  static OperatorForm softmax() { return sinkhorn(0); }
  static OperatorForm sinkhorn(
      int iterations, attention::ProductPrecision of = attention::ProductPrecision::single) {
    return {.mode = attention::CompiledMode::sinkhorn, .iterations = iterations, .precision = of};
  }
};

/// Sizes of a head: live queries N and keys M, width D of queries and keys, width of values.
struct HeadShape {
  std::int64_t queries = 0, keys = 0, width = 0, value_width = 0;
};

}  // namespace asap::compile
