#pragma once

#include <cstdint>
#include <vector>

#include "attention/interface/head_gradients.h"
#include "c_api/asap.h"
#include "tensor/core/arena.h"

namespace asap::c_api {

/// Where element (example, head, token, 0) of an array lies, as in asap_array and asap_result.
template <class T>
struct HeadArray {
  T* data = nullptr;
  std::int64_t example_stride = 0, head_stride = 0, token_stride = 0;
};

/// asap_attention for elements of any type.
template <class T>
struct HeadArrays {
  std::int64_t examples = 0, heads = 0, query_tokens = 0, key_tokens = 0;
  std::int64_t width = 0, value_width = 0;
  HeadArray<const T> queries = {}, keys = {}, values = {};
  const std::int64_t* query_lengths = nullptr;
  const std::int64_t* key_lengths = nullptr;
  const std::uint8_t* query_mask = nullptr;
  const std::uint8_t* key_mask = nullptr;
  T scale = 0;  ///< of the scores; 0: 1 / sqrt(D)
};

HeadArray<const float> head_array(const asap_array& array);
HeadArray<float> head_array(const asap_result& result);
HeadArrays<float> head_arrays(const asap_attention& attention);

/// Heads of a caller's arrays as kernels read them: strides as they are, live tokens first.
template <class T>
class PackedHeads {
 public:
  /// UsageError when sizes, strides, lengths or pointers do not fit each other; NumericalError when
  /// a live value is not finite. `with_values`: whether values are needed.
  PackedHeads(const HeadArrays<T>& arrays, bool with_values);

  const HeadArrays<T>& arrays() const { return arrays_; }
  std::int64_t examples() const { return arrays_.examples; }
  std::int64_t heads() const { return arrays_.heads; }
  /// The live tokens of an example, ascending.
  const std::vector<std::int64_t>& live_queries(std::int64_t example) const {
    return queries_[static_cast<std::size_t>(example)];
  }
  const std::vector<std::int64_t>& live_keys(std::int64_t example) const {
    return keys_[static_cast<std::size_t>(example)];
  }

  /// The same checks for the gradient of an output: [examples, heads, N, Dv].
  void check_gradient(const HeadArray<const T>& output_gradient) const;

  /// The live rows of one head: [live, columns]. A view of the caller's array where the live tokens
  /// are the first ones, else a copy in `arena`.
  tensor::MatrixView<const T> rows_of(const HeadArray<const T>& array, std::int64_t example,
                                      std::int64_t head, const std::vector<std::int64_t>& live,
                                      std::int64_t columns, tensor::Arena& arena) const;
  /// Queries, keys and values of one head with the scale of its scores.
  attention::AttentionHead<T> head(std::int64_t example, std::int64_t index, T scale,
                                   tensor::Arena& arena) const;
  /// 1 / sqrt(D) where the caller leaves it open.
  T scale() const;

 private:
  const HeadArrays<T> arrays_;
  std::vector<std::vector<std::int64_t>> queries_, keys_;
};

/// UsageError unless a result array [examples, heads, tokens, columns] can be written.
template <class T>
void check_result(const HeadArray<T>& result, const HeadArrays<T>& arrays, std::int64_t tokens,
                  std::int64_t columns, const char* name);

/// Writes the live rows of one head, and zeros into its other rows. values: [live, columns].
template <class T>
void write_rows(const HeadArray<T>& result, std::int64_t example, std::int64_t head,
                std::int64_t tokens, const std::vector<std::int64_t>& live,
                tensor::MatrixView<const T> values);

}  // namespace asap::c_api
