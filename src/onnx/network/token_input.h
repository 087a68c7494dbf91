#pragma once

#include <optional>

#include "config/model_config.h"
#include "io/safetensors.h"
#include "onnx/graph/operators.h"

namespace asap::onnx {

/// Used instead of minus infinity, so that sums with scores stay finite.
inline constexpr float kMasked = -1e30f;

/// What replaces zero as a divisor or the argument of a logarithm: sums over padding alone.
inline constexpr float kTiny = 1e-37f;

/// Which tokens of a padded batch are live. Images have no padding; `is_live` and `bias` are then
/// empty, and `live`, `count` and `average` are constants.
struct LiveTokens {
  std::optional<Value> is_live;  // bool [B, 1, 1, N]
  std::optional<Value> bias;     // 0 for live tokens, kMasked for padding: [B, 1, 1, N]
  Value live;                    // 1 or 0: [B, 1, 1, N] or [1, 1, 1, N]
  Value count;                   // live tokens, at least 1: [B, 1, 1, 1] or [1, 1, 1, 1]
  Value average;                 // live / count, as a column: [B, 1, N, 1] or [1, 1, N, 1]
  Value tokens;                  // N: int64 [1]

  /// x where a token is live, `otherwise` elsewhere. x: [..., N].
  Value masked(const Operators& ops, const Value& x, float otherwise) const {
    return is_live ? ops.where(*is_live, x, otherwise) : x;
  }
  /// Sums that only padding makes 0, as divisors.
  Value positive(const Operators& ops, const Value& sums) const {
    return is_live ? ops.at_least(sums, kTiny) : sums;
  }
};

/// How images become numbers: (pixel / 255 - mean) / deviation.
struct PixelScale {
  double mean = 0, deviation = 1;
};

/// The tokens that a network works on.
struct Tokens {
  Value rows;  // [B, N, W]
  LiveTokens live;
};

/// Adds the inputs of a network and what embeds them, as infer/encoder_embedding.h does:
///   images  `pixels`, uint8 [batch, channels, height, width]
///   texts   `ids`, int64 [batch, tokens], and `lengths`, int64 [batch]
///   sets    `points`, float32 [batch, tokens, F], and `lengths`
/// Tokens from `lengths` on are padding, which changes nothing. DataError names a tensor that is
/// missing or has another shape.
Tokens add_token_input(const Operators& ops, const config::ModelConfig& model,
                       const io::TensorFile& weights, const PixelScale& pixels);

}  // namespace asap::onnx
