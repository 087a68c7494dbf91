#pragma once

#include "onnx/network/head_columns.h"

namespace asap::onnx {

/// Updates of duals in logarithms, from which nothing underflows: each takes exponentials of all
/// scores. scores: [B, H, M, N], a key per row.
class LogUpdates {
 public:
  /// log_mass: added to column duals, [.., M, 1], kMasked for a key of no mass.
  LogUpdates(const Operators& ops, Value scores, const LiveTokens& live,
             std::optional<Value> log_mass)
      : ops_(ops), live_(live), scores_(std::move(scores)), log_mass_(std::move(log_mass)) {}
  /// Every live key of mass 1.
  LogUpdates(const Operators& ops, Value scores, const LiveTokens& live);

  /// The column dual 0: [.., M, 1].
  Value no_column_dual() const;
  /// f_i = -log Σ_j exp(S_ij + g_j): [.., M, 1] -> [B, H, 1, N].
  Value row(const Value& column_dual) const;
  /// g_j = -log Σ_i exp(S_ij + f_i): [.., 1, N] -> [B, H, M, 1].
  Value column(const Value& row_dual) const { return with_mass(ops_.negative(sums(row_dual))); }
  /// log Σ_i exp(S_ij + f_i) of every key, without its mass.
  Value sums(const Value& row_dual) const;
  /// x, and the logarithm of the mass.
  Value with_mass(const Value& x) const { return log_mass_ ? ops_.add(x, *log_mass_) : x; }
  /// The plan whose rows sum to 1: softmax_j(S_ij + g_j): [B, H, M, N].
  Value plan(const Value& column_dual) const {
    return ops_.softmax(ops_.add(scores_, column_dual), 2);
  }

 private:
  const Operators& ops_;
  const LiveTokens& live_;
  Value scores_;
  std::optional<Value> log_mass_;
};

/// log Σ exp along a dimension, which keeps size 1, with the largest term taken out.
Value log_sum_exp(const Operators& ops, const Value& a, std::int64_t axis);

}  // namespace asap::onnx
