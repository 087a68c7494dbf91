#include "onnx/network/log_updates.h"

namespace asap::onnx {
namespace {

/// 0 for live keys, kMasked for padding: [B, 1, M, 1]; none without padding.
std::optional<Value> padding_mass(const Operators& ops, const LiveTokens& live) {
  if (!live.bias) return {};
  return as_column(ops, *live.bias);
}

}  // namespace

Value log_sum_exp(const Operators& ops, const Value& a, std::int64_t axis) {
  const Value top = ops.maximum(a, axis);
  const Value sum = ops.sum(ops.exponential(ops.subtract(a, top)), axis);
  return ops.add(top, ops.logarithm(sum));
}

LogUpdates::LogUpdates(const Operators& ops, Value scores, const LiveTokens& live)
    : LogUpdates(ops, std::move(scores), live, padding_mass(ops, live)) {}

Value LogUpdates::no_column_dual() const { return log_mass_ ? *log_mass_ : ops_.graph().scalar(0); }

Value LogUpdates::row(const Value& column_dual) const {
  return ops_.negative(log_sum_exp(ops_, ops_.add(scores_, column_dual), 2));
}

Value LogUpdates::sums(const Value& row_dual) const {
  return log_sum_exp(ops_, ops_.add(scores_, live_.masked(ops_, row_dual, kMasked)), 3);
}

}  // namespace asap::onnx
