#pragma once

#include <cstdint>
#include <span>

#include "tensor/core/view.h"

namespace asap::attention {

/// Heads of one example, of all layers, that a guard may leave to the teacher, and those that it
/// left.
struct GuardedHeads {
  std::int32_t heads = 0;
  std::int32_t left = 0;
  /// The first layers in which every head ran the teacher's whole loop in float: the outputs there
  /// are the teacher's own.
  std::int32_t teacher_layers = 0;

  /// The share that stayed compiled; 1 where no head has such a guard.
  float compiled_share() const {
    return heads == 0 ? 1.0f : static_cast<float>(heads - left) / static_cast<float>(heads);
  }
};

/// Queries, keys and values of one layer for a few examples. Heads lie side by side in the columns,
/// so the three may be views into one packed projection [B * N, 3 * W].
///
/// Padding: `live_queries` and `live_keys` hold the number of live tokens of each example; live
/// tokens come first. An empty span means that every token is live. A token that is not live has no
/// effect, and its output row is zero.
///
/// An operator with a guard adds its heads to `guarded`, if there is one.
template <class T>
struct AttentionBatch {
  tensor::MatrixView<const T> queries;  // [B * N, H * D]
  tensor::MatrixView<const T> keys;     // [B * M, H * D]
  tensor::MatrixView<const T> values;   // [B * M, H * Dv]
  std::int64_t examples = 0;            // B
  std::int64_t heads = 0;               // H
  std::span<const std::int32_t> live_queries = {};
  std::span<const std::int32_t> live_keys = {};
  std::span<GuardedHeads> guarded = {};  // [B] or empty

  std::int64_t query_tokens() const { return queries.rows / examples; }  // N
  std::int64_t key_tokens() const { return keys.rows / examples; }       // M
  std::int64_t head_width() const { return queries.cols / heads; }       // D
  std::int64_t value_width() const { return values.cols / heads; }       // Dv

  std::int64_t live_query_count(std::int64_t example) const {
    return live_queries.empty() ? query_tokens() : live_queries[example];
  }
  std::int64_t live_key_count(std::int64_t example) const {
    return live_keys.empty() ? key_tokens() : live_keys[example];
  }

  /// One example as a batch of its own.
  AttentionBatch example(std::int64_t index) const {
    const std::int64_t n = query_tokens(), m = key_tokens();
    AttentionBatch one = *this;
    one.queries = queries.block(index * n, 0, n, queries.cols);
    one.keys = keys.block(index * m, 0, m, keys.cols);
    one.values = values.block(index * m, 0, m, values.cols);
    one.examples = 1;
    const auto at = static_cast<std::size_t>(index);
    if (!live_queries.empty()) one.live_queries = live_queries.subspan(at, 1);
    if (!live_keys.empty()) one.live_keys = live_keys.subspan(at, 1);
    if (!guarded.empty()) one.guarded = guarded.subspan(at, 1);
    return one;
  }

  /// Live queries of one head of one example: [n, D].
  tensor::MatrixView<const T> head_queries(std::int64_t example, std::int64_t head) const {
    return queries.block(example * query_tokens(), head * head_width(), live_query_count(example),
                         head_width());
  }
  /// Live keys of one head of one example: [m, D].
  tensor::MatrixView<const T> head_keys(std::int64_t example, std::int64_t head) const {
    return keys.block(example * key_tokens(), head * head_width(), live_key_count(example),
                      head_width());
  }
  /// Live values of one head of one example: [m, Dv].
  tensor::MatrixView<const T> head_values(std::int64_t example, std::int64_t head) const {
    return values.block(example * key_tokens(), head * value_width(), live_key_count(example),
                        value_width());
  }
  /// The part of a layer output [B * N, H * Dv] that belongs to the live queries of one head: [n,
  /// Dv].
  template <class U>
  tensor::MatrixView<U> head_output(tensor::MatrixView<U> output, std::int64_t example,
                                    std::int64_t head) const {
    return output.block(example * query_tokens(), head * value_width(), live_query_count(example),
                        value_width());
  }
};

/// Sets the output rows of tokens that are not live to zero. output: [B * N, H * Dv].
template <class T>
void clear_padded_rows(const AttentionBatch<T>& batch, tensor::MatrixView<T> output) {
  if (batch.live_queries.empty()) return;
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t i = batch.live_query_count(b); i < batch.query_tokens(); ++i)
      for (T& value : output.row(b * batch.query_tokens() + i)) value = T(0);
}

}  // namespace asap::attention
