#pragma once

#include <string>
#include <vector>

#include "onnx/graph/graph_builder.h"

namespace asap::onnx {

/// The standard operators that networks need, as calls on values
/// (https://onnx.ai/onnx/operators, operator set 17). Shapes broadcast as in NumPy.
class Operators {
 public:
  explicit Operators(GraphBuilder& graph) : graph_(graph) {}

  GraphBuilder& graph() const { return graph_; }

  Value add(const Value& a, const Value& b) const { return graph_.node("Add", {a, b}); }
  Value subtract(const Value& a, const Value& b) const { return graph_.node("Sub", {a, b}); }
  Value multiply(const Value& a, const Value& b) const { return graph_.node("Mul", {a, b}); }
  Value divide(const Value& a, const Value& b) const { return graph_.node("Div", {a, b}); }
  Value add(const Value& a, float b) const { return add(a, graph_.scalar(b)); }
  Value multiply(const Value& a, float b) const { return multiply(a, graph_.scalar(b)); }
  Value negative(const Value& a) const { return graph_.node("Neg", {a}); }
  Value exponential(const Value& a) const { return graph_.node("Exp", {a}); }
  Value logarithm(const Value& a) const { return graph_.node("Log", {a}); }
  Value square_root(const Value& a) const { return graph_.node("Sqrt", {a}); }
  Value relu(const Value& a) const { return graph_.node("Relu", {a}); }
  /// max(a, floor): keeps divisors and arguments of logarithms positive.
  Value at_least(const Value& a, float floor) const {
    return graph_.node("Max", {a, graph_.scalar(floor)});
  }
  /// The smallest or largest of some values, element by element.
  Value smallest_of(const std::vector<Value>& values) const { return of_all("Min", values); }
  Value largest_of(const std::vector<Value>& values) const { return of_all("Max", values); }
  /// condition ? a : b
  Value where(const Value& condition, const Value& a, float b) const {
    return graph_.node("Where", {condition, a, graph_.scalar(b)});
  }
  Value to_float(const Value& a) const;
  /// Whether all elements together are less than a limit; with one that is not a number they are
  /// not. -> one bool
  Value sums_to_less_than(const Value& a, float limit) const;

  /// [..., n, k] x [..., k, m] -> [..., n, m]
  Value product(const Value& a, const Value& b) const { return graph_.node("MatMul", {a, b}); }
  /// x W + b. weight: [in, out], bias: [out].
  Value affine(const Value& x, const Value& weight, const Value& bias) const {
    return add(product(x, weight), bias);
  }

  Value transpose(const Value& a, const std::vector<std::int64_t>& order) const;
  /// Exchanges the last two of four dimensions.
  Value transpose_matrices(const Value& a) const { return transpose(a, {0, 1, 3, 2}); }
  /// 0 keeps a size, -1 takes what is left.
  Value reshape(const Value& a, const std::vector<std::int64_t>& sizes) const;
  Value unsqueeze(const Value& a, const std::vector<std::int64_t>& axes) const;
  Value concatenate(const std::vector<Value>& parts, std::int64_t axis) const;
  /// Equal parts of one row each along dimension 2 of four: [B, H, n, m] -> n times [B, H, 1, m].
  std::vector<Value> split_rows(const Value& a, int rows) const;
  /// The size of a dimension: int64 [1].
  Value size_of(const Value& a, std::int64_t axis) const;

  /// Reductions keep the dimension, with size 1.
  Value sum(const Value& a, std::int64_t axis) const;
  Value maximum(const Value& a, std::int64_t axis) const;
  Value softmax(const Value& a, std::int64_t axis) const;
  /// log sum exp along a dimension, which keeps size 1, by the runtime's own operator.
  Value log_sum_exp(const Value& a, std::int64_t axis) const;

 private:
  Value of_all(const std::string& operation, const std::vector<Value>& values) const {
    return values.size() == 1 ? values.front() : graph_.node(operation, values);
  }

  GraphBuilder& graph_;
};

}  // namespace asap::onnx
