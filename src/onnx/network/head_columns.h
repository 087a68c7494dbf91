#pragma once

#include <span>
#include <string>

#include "attention/operators/compiled_operator.h"
#include "onnx/network/token_input.h"

namespace asap::onnx {

/// Queries, keys and values of all heads, a token per column: [B, H, D, N]. Queries and keys are
/// multiplied by √c, the root of the score scale. Where a plan is divided by its row sums, the
/// values have a row of ones below them, [B, H, D + 1, N], so that one product gives both.
struct HeadColumns {
  Value queries, keys, values;
  std::int64_t width;  // D
};

using LayerHeads = std::span<const attention::CompiledHead>;

/// [B, H, 1, N] <-> [B, H, N, 1], without a copy.
inline Value as_column(const Operators& ops, const Value& row) {
  return ops.reshape(row, {0, 0, -1, 1});
}
inline Value as_row(const Operators& ops, const Value& column) {
  return ops.reshape(column, {0, 0, 1, -1});
}

/// One number of every head: [1, H, 1, 1].
template <class Number>
Value per_head(const Operators& ops, const std::string& name, LayerHeads heads, Number number) {
  tensor::Tensor<float> out({1, std::ssize(heads), 1, 1});
  for (std::size_t h = 0; h < heads.size(); ++h)
    out[static_cast<std::int64_t>(h)] = number(heads[h]);
  return ops.graph().constant(name, out);
}

/// What centring makes of padding: zero, or something finite.
enum class Padding { zero, kept };

/// Tokens in centred coordinates, and what was taken away.
struct CentredColumns {
  Value tokens;  // √c (q - q̄): [B, H, D, N]
  Value mean;    // √c q̄: [B, H, D, 1]
};

inline CentredColumns centred(const Operators& ops, const Value& columns, const LiveTokens& live,
                              Padding padding = Padding::zero) {
  const Value mean = ops.product(columns, live.average);
  const Value difference = ops.subtract(columns, mean);
  const bool masks = live.is_live && padding == Padding::zero;
  return {masks ? ops.multiply(difference, live.live) : difference, mean};
}

}  // namespace asap::onnx
