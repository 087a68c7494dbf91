#pragma once

#include <cstdint>
#include <vector>

#include "c_api/asap.h"

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"

namespace asap::c_api {

/// Heads of a caller's arrays as kernels read them: strides as they are, live tokens first.
class PackedHeads {
 public:
  /// UsageError when sizes, strides, lengths or pointers do not fit each other; NumericalError when
  /// a live value is not finite. `with_values`: whether values are needed. `attention` must outlive
  /// it.
  PackedHeads(const asap_attention& attention, bool with_values);

  std::int64_t examples() const { return attention_.examples; }
  std::int64_t heads() const { return attention_.heads; }
  /// The live tokens of an example, ascending.
  const std::vector<std::int64_t>& live_queries(std::int64_t example) const {
    return queries_[static_cast<std::size_t>(example)];
  }
  const std::vector<std::int64_t>& live_keys(std::int64_t example) const {
    return keys_[static_cast<std::size_t>(example)];
  }

  /// The same checks for the gradient of an output: [examples, heads, N, Dv].
  void check_gradient(const asap_array& output_gradient) const;

  /// The live rows of one head: [live, columns]. A view of the caller's array where the live tokens
  /// are the first ones, else a copy in `arena`.
  tensor::MatrixView<const float> rows_of(const asap_array& array, std::int64_t example,
                                          std::int64_t head, const std::vector<std::int64_t>& live,
                                          std::int64_t columns, tensor::Arena& arena) const;
  /// Queries, keys and values of one head with the scale of its scores.
  attention::AttentionHead<float> head(std::int64_t example, std::int64_t index, float scale,
                                       tensor::Arena& arena) const;
  /// 1 / sqrt(D) where the caller leaves it open.
  float scale() const;

 private:
  const asap_attention& attention_;
  std::vector<std::vector<std::int64_t>> queries_, keys_;
};

/// UsageError unless a result array [examples, heads, tokens, columns] can be written.
void check_result(const asap_result& result, const asap_attention& attention, std::int64_t tokens,
                  std::int64_t columns, const char* name);

/// Writes the live rows of one head, and zeros into its other rows. values: [live, columns].
void write_rows(const asap_result& result, std::int64_t example, std::int64_t head,
                std::int64_t tokens, const std::vector<std::int64_t>& live,
                tensor::MatrixView<const float> values);

}  // namespace asap::c_api
