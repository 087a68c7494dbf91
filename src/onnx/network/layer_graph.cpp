#include "onnx/network/layer_graph.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "tensor/kernels/channel_networks.h"

namespace asap::onnx {
namespace {

// GELU with the hyperbolic tangent is x sigmoid(2 √(2/π) (x + .044715 x³)), as in
// tensor/kernels/elementwise.cpp.
constexpr float kGeluScale = 1.5957691216057308f;
constexpr float kRootHalf = 0.70710678f;
constexpr float kGeluCubic = 0.044715f * kGeluScale;

/// The rows of queries, keys or values in the weights of a layer, each head times its own factor.
struct Projection {
  std::int64_t part;  // 0 queries, 1 keys, 2 values
  bool scaled;        // by √c
  bool with_ones;     // a row of ones below every head
};

infer::AffineWeights projection_weights(const infer::AffineWeights& qkv, LayerHeads heads,
                                        const Projection& projection) {
  const std::int64_t width = qkv.weight.rows().cols;
  const std::int64_t head_width = width / std::ssize(heads);
  const std::int64_t out_width = head_width + (projection.with_ones ? 1 : 0);
  infer::AffineWeights out{tensor::Tensor<float>({out_width * std::ssize(heads), width}),
                           tensor::Tensor<float>({out_width * std::ssize(heads)})};
  for (std::int64_t h = 0; h < std::ssize(heads); ++h) {
    const float factor =
        projection.scaled ? std::sqrt(heads[static_cast<std::size_t>(h)].score_scale) : 1.0f;
    for (std::int64_t d = 0; d < head_width; ++d) {
      const std::int64_t from = projection.part * width + h * head_width + d;
      const std::int64_t to = h * out_width + d;
      std::ranges::transform(qkv.weight.rows().row(from), out.weight.rows().row(to).begin(),
                             [&](float value) { return factor * value; });
      out.bias[to] = factor * qkv.bias[from];
    }
    if (projection.with_ones) out.bias[h * out_width + head_width] = 1;
  }
  return out;
}

HeadColumns head_columns(const Operators& ops, const io::TensorFile& file,
                         const std::string& prefix, const EncoderLayer& layer, const Value& x,
                         std::int64_t width) {
  const infer::AffineWeights qkv = infer::take_linear(file, prefix + "qkv", 3 * width, width);
  const auto heads = std::ssize(layer.heads);
  const std::int64_t head_width = width / heads;
  const auto columns = [&](const char* name, const Projection& projection) {
    const Value rows = linear(ops, name, x, projection_weights(qkv, layer.heads, projection));
    const std::int64_t each = head_width + (projection.with_ones ? 1 : 0);
    return ops.transpose(ops.reshape(rows, {0, 0, heads, each}), {0, 2, 3, 1});
  };
  return {columns("queries", {0, true, false}), columns("keys", {1, true, false}),
          columns("values", {2, false, divides_by_row_sums(layer.heads)}), head_width};
}

Value gelu(const Operators& ops, const Value& x) {
  const Value slope = ops.add(ops.multiply(ops.multiply(x, x), kGeluCubic), kGeluScale);
  return ops.multiply(x, ops.graph().node("Sigmoid", {ops.multiply(x, slope)}));
}

/// x Φ(x), with the distribution function of the normal distribution.
Value gelu_erf(const Operators& ops, const Value& x) {
  const Value erf = ops.graph().node("Erf", {ops.multiply(x, kRootHalf)});
  return ops.multiply(ops.multiply(x, 0.5f), ops.add(erf, 1));
}

Value activation(const Operators& ops, config::Activation kind, const Value& x) {
  switch (kind) {
    case config::Activation::gelu:
      return gelu(ops, x);
    case config::Activation::gelu_erf:
      return gelu_erf(ops, x);
    case config::Activation::relu:
      return ops.relu(x);
  }
  throw base::InternalError("activation: not a known one");
}

/// A small network of ReLU per channel (tensor/kernels/channel_networks.h), four neurons wide.
Value channel_networks(const Operators& ops, int depth, const Value& x,
                       const tensor::Tensor<float>& weights) {
  const tensor::ChannelNetworkLayout layout{depth};
  const std::int64_t channels = weights.rows().cols;
  const auto row = [&](int index) {
    tensor::Tensor<float> out({channels});
    std::ranges::copy(weights.rows().row(index), out.data());
    return ops.graph().constant("regions." + std::to_string(index), out);
  };
  constexpr int kWidth = tensor::ChannelNetworkLayout::kWidth;
  std::vector<Value> neurons;
  for (int k = 0; k < kWidth; ++k)
    neurons.push_back(
        ops.relu(ops.add(ops.multiply(x, row(layout.first_weight(k))), row(layout.first_bias(k)))));
  for (int l = 1; l < depth; ++l) {
    std::vector<Value> next;
    for (int k = 0; k < kWidth; ++k) {
      Value sum = row(layout.bias(l, k));
      for (int i = 0; i < kWidth; ++i)
        sum = ops.add(
            sum, ops.multiply(neurons[static_cast<std::size_t>(i)], row(layout.weight(l, k, i))));
      next.push_back(ops.relu(sum));
    }
    neurons = std::move(next);
  }
  Value sum = row(layout.last_bias());
  for (int i = 0; i < kWidth; ++i)
    sum = ops.add(sum,
                  ops.multiply(neurons[static_cast<std::size_t>(i)], row(layout.last_weight(i))));
  return sum;
}

Value feed_forward(const Operators& ops, const config::ModelConfig& model,
                   const io::TensorFile& weights, const std::string& prefix, const Value& x) {
  const std::int64_t width = model.width, hidden = model.hidden_width();
  Value h = linear(ops, "up", x, infer::take_linear(weights, prefix + "up", hidden, width));
  const config::FeedForwardConfig& config = model.feed_forward;
  if (config.kind == config::FeedForwardKind::region)
    h = channel_networks(
        ops, config.depth, h,
        infer::take_weights(weights, prefix + "regions.weights",
                            {tensor::ChannelNetworkLayout{config.depth}.count(), hidden}));
  else
    h = activation(ops, config.activation, h);
  return linear(ops, "down", h, infer::take_linear(weights, prefix + "down", width, hidden));
}

}  // namespace

Value add_layer(const Operators& ops, const config::ModelConfig& model,
                const io::TensorFile& weights, const EncoderLayer& layer, const Tokens& tokens) {
  const std::string prefix = "layers." + std::to_string(layer.index) + ".";
  const std::int64_t width = model.width;
  GraphBuilder& graph = ops.graph();
  graph.begin_part(prefix + "attention");
  const bool pre = model.norm == config::NormPosition::pre;
  const auto norm = [&](const char* part, const Value& x) {
    return layer_norm(ops, "norm", x, infer::take_norm(weights, prefix + part, width),
                      model.norm_epsilon);
  };
  const Value read = pre ? norm("attention_norm", tokens.rows) : tokens.rows;
  const HeadColumns columns = head_columns(ops, weights, prefix + "attention.", layer, read, width);
  const Value attended = add_attention(ops, layer.heads, columns, tokens.live, layer.form);
  const Value joined = ops.reshape(ops.transpose(attended, {0, 3, 1, 2}), {0, 0, width});
  Value rows = ops.add(
      tokens.rows, linear(ops, "output", joined,
                          infer::take_linear(weights, prefix + "attention.output", width, width)));
  if (!pre) rows = norm("attention_norm", rows);
  graph.begin_part(prefix + "feed_forward");
  const Value normalised = pre ? norm("feed_forward_norm", rows) : rows;
  rows = ops.add(rows, feed_forward(ops, model, weights, prefix + "feed_forward.", normalised));
  return pre ? rows : norm("feed_forward_norm", rows);
}

}  // namespace asap::onnx
