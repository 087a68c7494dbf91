#include "onnx/graph/operators.h"

namespace asap::onnx {

Value Operators::to_float(const Value& a) const {
  return graph_.node("Cast", {a}, {{"to", static_cast<std::int64_t>(ElementType::float32)}});
}

Value Operators::sums_to_less_than(const Value& a, float limit) const {
  const Value total = graph_.node("ReduceSum", {a}, {{"keepdims", std::int64_t{0}}});
  return graph_.node("Less", {total, graph_.scalar(limit)});
}

Value Operators::transpose(const Value& a, const std::vector<std::int64_t>& order) const {
  return graph_.node("Transpose", {a}, {{"perm", order}});
}

Value Operators::reshape(const Value& a, const std::vector<std::int64_t>& sizes) const {
  return graph_.node("Reshape", {a, graph_.integers(sizes)});
}

Value Operators::unsqueeze(const Value& a, const std::vector<std::int64_t>& axes) const {
  return graph_.node("Unsqueeze", {a, graph_.integers(axes)});
}

Value Operators::concatenate(const std::vector<Value>& parts, std::int64_t axis) const {
  return parts.size() == 1 ? parts.front() : graph_.node("Concat", parts, {{"axis", axis}});
}

std::vector<Value> Operators::split_rows(const Value& a, int rows) const {
  if (rows == 1) return {a};
  return graph_.node_with_outputs(
      rows, "Split",
      {a, graph_.integers(std::vector<std::int64_t>(static_cast<std::size_t>(rows), 1))},
      {{"axis", std::int64_t{2}}});
}

Value Operators::size_of(const Value& a, std::int64_t axis) const {
  return graph_.node("Shape", {a}, {{"start", axis}, {"end", axis + 1}});
}

Value Operators::sum(const Value& a, std::int64_t axis) const {
  return graph_.node("ReduceSum", {a, graph_.integers({axis})}, {{"keepdims", std::int64_t{1}}});
}

Value Operators::maximum(const Value& a, std::int64_t axis) const {
  return graph_.node("ReduceMax", {a},
                     {{"axes", std::vector<std::int64_t>{axis}}, {"keepdims", std::int64_t{1}}});
}

Value Operators::softmax(const Value& a, std::int64_t axis) const {
  return graph_.node("Softmax", {a}, {{"axis", axis}});
}

Value Operators::log_sum_exp(const Value& a, std::int64_t axis) const {
  return graph_.node("ReduceLogSumExp", {a},
                     {{"axes", std::vector<std::int64_t>{axis}}, {"keepdims", std::int64_t{1}}});
}

}  // namespace asap::onnx
