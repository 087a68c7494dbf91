#pragma once

#include <cstdint>
#include <span>

#include "tensor/core/view.h"

namespace asap::config {

/// Label of a row of logits that is not scored: padding, or a token without an answer.
inline constexpr std::int32_t kNotScored = -1;

/// The examples of one pass through a network, as views. The model's kind decides which members
/// are used:
///   vit, mlp  values [B, C * H * W], images with channels outermost
///   text      ids [B * N], token ids below the vocabulary's size
///   set       values [B * N, F], points
/// N is the length of the longest example. Shorter ones are padded: `live` holds the number of
/// tokens of each example, which come first; empty means that all are live. Padding must hold valid
/// ids or finite numbers and changes nothing.
template <class T>
struct ModelInput {
  std::int64_t examples = 0;  // B
  std::int64_t tokens = 0;    // N; not used for images
  tensor::MatrixView<const T> values = {};
  std::span<const std::int32_t> ids = {};
  std::span<const std::int32_t> live = {};

  /// images: [B, C * H * W].
  static ModelInput of_images(tensor::MatrixView<const T> images) {
    return {.examples = images.rows, .values = images};
  }
};

/// Where the second text of a pair begins, behind the first separator; the number of tokens where
/// there is none.
inline std::int64_t second_segment(std::span<const std::int32_t> ids, std::int32_t separator) {
  std::size_t at = 0;
  while (at < ids.size() && ids[at] != separator) ++at;
  return static_cast<std::int64_t>(at < ids.size() ? at + 1 : at);
}

}  // namespace asap::config
