#include "onnx/network/token_input.h"

#include <algorithm>

#include "infer/weights.h"
#include "onnx/network/stored_weights.h"
#include "tensor/kernels/point_features.h"

namespace asap::onnx {
namespace {

constexpr float kLowestFrequency = 6;  // as in tensor/kernels/point_features.cpp

/// [B, C * H * W] in patches, row by row: [B, patches, C * p * p].
Value patches_of(const Operators& ops, const config::ModelConfig& model, const Value& images) {
  const std::int64_t p = model.patch;
  const Value blocks =
      ops.reshape(images, {0, model.channels, model.image_height / p, p, model.image_width / p, p});
  return ops.reshape(ops.transpose(blocks, {0, 2, 4, 1, 3, 5}),
                     {0, model.patches(), model.patch_size()});
}

Value image_features(const Operators& ops, const config::ModelConfig& model,
                     const PixelScale& pixels) {
  const Value input = ops.graph().input(
      "pixels", {ElementType::uint8,
                 {"batch", std::int64_t{model.channels}, std::int64_t{model.image_height},
                  std::int64_t{model.image_width}}});
  const auto factor = static_cast<float>(1 / (255 * pixels.deviation));
  const auto shift = static_cast<float>(-pixels.mean / pixels.deviation);
  return patches_of(ops, model, ops.add(ops.multiply(ops.to_float(input), factor), shift));
}

/// x and its sines and cosines, see tensor::point_features: [B, N, F] -> [B, N, F (1 + 2 k)].
Value point_features(const Operators& ops, const Value& points, int frequencies) {
  std::vector<Value> features = {points};
  float frequency = kLowestFrequency;
  for (int k = 0; k < frequencies; ++k, frequency *= 2) {
    const Value angle = ops.multiply(points, frequency);
    features.push_back(ops.graph().node("Sin", {angle}));
    features.push_back(ops.graph().node("Cos", {angle}));
  }
  return ops.concatenate(features, 2);
}

/// A class token before the tokens of every example: [B, N, W] -> [B, N + 1, W].
Value with_class_token(const Operators& ops, const config::ModelConfig& model,
                       const io::TensorFile& weights, const Value& rows) {
  const Value token = ops.graph().constant(
      "class_token", infer::take_weights(weights, "embedding.class_token", {model.width}));
  const Value shape =
      ops.concatenate({ops.size_of(rows, 0), ops.graph().integers({1, model.width})}, 0);
  return ops.concatenate({ops.graph().node("Expand", {token, shape}), rows}, 1);
}

Value with_positions(const Operators& ops, const config::ModelConfig& model,
                     const io::TensorFile& weights, const Value& rows) {
  const Value table = ops.graph().constant(
      "positions",
      infer::take_weights(weights, "embedding.position", {model.tokens(), model.width}));
  if (model.kind == config::ModelKind::vit) return ops.add(rows, table);
  const Value first = ops.graph().node(
      "Slice", {table, ops.graph().integers({0}), ops.size_of(rows, 1), ops.graph().integers({0})});
  return ops.add(rows, first);
}

/// A vector for the tokens behind the first separator of each text. ids: [B, N], rows: [B, N, W].
Value with_segments(const Operators& ops, const config::ModelConfig& model,
                    const io::TensorFile& weights, const Value& ids, const Value& rows) {
  GraphBuilder& graph = ops.graph();
  const Value vector =
      graph.constant("segment", infer::take_weights(weights, "embedding.segment", {model.width}));
  const Value is_separator =
      ops.to_float(graph.node("Equal", {ids, graph.integers({model.separator})}));
  // Sums of those up to each token, less its own.
  const Value before =
      ops.subtract(graph.node("CumSum", {is_separator, graph.integers({1})}), is_separator);
  const Value is_behind = ops.to_float(graph.node("Greater", {before, graph.scalar(0)}));
  return ops.add(rows, ops.multiply(ops.unsqueeze(is_behind, {2}), vector));
}

tensor::Tensor<float> filled(const tensor::Shape& shape, float value) {
  tensor::Tensor<float> out(shape);
  std::ranges::fill(out.flat(), value);
  return out;
}

LiveTokens all_live(const Operators& ops, std::int64_t tokens) {
  GraphBuilder& graph = ops.graph();
  const auto count = static_cast<float>(tokens);
  return {.is_live = {},
          .bias = {},
          .live = graph.constant("live", filled({1, 1, 1, tokens}, 1)),
          .count = graph.constant("count", filled({1, 1, 1, 1}, count)),
          .average = graph.constant("average", filled({1, 1, tokens, 1}, 1 / count)),
          .tokens = graph.integers({tokens})};
}

/// lengths: [B] of the input; rows: [B, N, W], the class token included.
LiveTokens live_by_length(const Operators& ops, const config::ModelConfig& model,
                          const Value& lengths, const Value& rows) {
  GraphBuilder& graph = ops.graph();
  const Value count = model.has_class_token() ? ops.add(lengths, graph.integers({1})) : lengths;
  const Value columns = ops.reshape(count, {-1, 1, 1, 1});
  const Value tokens = ops.size_of(rows, 1);
  // Range counts between scalars, which the elements of these are.
  const auto scalar = [&](const Value& value) {
    return graph.node("Squeeze", {value, graph.integers({0})});
  };
  const Value places = graph.node(
      "Range", {scalar(graph.integers({0})), scalar(tokens), scalar(graph.integers({1}))});
  const Value is_live = graph.node("Less", {places, columns});
  const auto choice = [&](float live, float padding) {
    return graph.node("Where", {is_live, graph.scalar(live), graph.scalar(padding)});
  };
  const Value live = choice(1, 0), divisor = ops.at_least(ops.to_float(columns), 1);
  return {.is_live = is_live,
          .bias = choice(0, kMasked),
          .live = live,
          .count = divisor,
          .average = ops.reshape(ops.divide(live, divisor), {0, 1, -1, 1}),
          .tokens = tokens};
}

}  // namespace

Tokens add_token_input(const Operators& ops, const config::ModelConfig& model,
                       const io::TensorFile& weights, const PixelScale& pixels) {
  GraphBuilder& graph = ops.graph();
  graph.begin_part("embedding");
  Tokens tokens;
  if (model.kind == config::ModelKind::text) {
    const Value ids = graph.input("ids", {ElementType::int64, {"batch", "tokens"}});
    const Value table = graph.constant(
        "token", infer::take_weights(weights, "embedding.token", {model.vocabulary, model.width}));
    tokens.rows = graph.node("Gather", {table, ids});
    if (model.has_segments()) tokens.rows = with_segments(ops, model, weights, ids, tokens.rows);
  } else if (model.kind == config::ModelKind::set) {
    const Value points = graph.input(
        "points", {ElementType::float32, {"batch", "tokens", std::int64_t{model.point_width}}});
    const std::int64_t features =
        tensor::point_feature_count(model.point_width, model.point_frequencies);
    tokens.rows = linear(ops, "point", point_features(ops, points, model.point_frequencies),
                         infer::take_linear(weights, "embedding.point", model.width, features));
  } else {
    tokens.rows =
        linear(ops, "patch", image_features(ops, model, pixels),
               infer::take_linear(weights, "embedding.patch", model.width, model.patch_size()));
  }
  if (model.has_class_token()) tokens.rows = with_class_token(ops, model, weights, tokens.rows);
  if (model.has_positions()) tokens.rows = with_positions(ops, model, weights, tokens.rows);
  if (model.embedding_norm)
    tokens.rows =
        layer_norm(ops, "norm", tokens.rows,
                   infer::take_norm(weights, "embedding.norm", model.width), model.norm_epsilon);
  tokens.live =
      model.kind == config::ModelKind::vit
          ? all_live(ops, model.tokens())
          : live_by_length(ops, model, graph.input("lengths", {ElementType::int64, {"batch"}}),
                           tokens.rows);
  return tokens;
}

}  // namespace asap::onnx
