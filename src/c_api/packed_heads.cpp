#include "c_api/packed_heads.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "c_api/guarded.h"

namespace asap::c_api {
namespace {

constexpr std::int64_t kLargestExtent = std::int64_t{1} << 31;
constexpr std::int64_t kLargestCount = std::int64_t{1} << 40;  // elements of an array

/// Sizes of one array.
struct Extent {
  std::int64_t examples, heads, tokens, columns;
};

void check_strides(const Extent& extent, std::int64_t example, std::int64_t head,
                   std::int64_t token, const std::string& name) {
  if (token < extent.columns)
    throw base::UsageError(name + ": token_stride is " + std::to_string(token) +
                           ", but a token has " + std::to_string(extent.columns) + " elements");
  for (const std::int64_t stride : {example, head, token})
    if (stride < 0 || stride > kLargestCount)
      throw base::UsageError(name + ": a stride of " + std::to_string(stride) + " is out of range");
}

void check_extent(const Extent& extent, const std::string& name) {
  std::int64_t count = 1;
  for (const std::int64_t size : {extent.examples, extent.heads, extent.tokens, extent.columns})
    if (__builtin_mul_overflow(count, std::max<std::int64_t>(size, 1), &count) ||
        count > kLargestCount)
      throw base::UsageError(name + ": has more than 2^40 elements");
}

template <class T>
void check_array(const HeadArray<const T>& array, const Extent& extent, const std::string& name) {
  check_extent(extent, name);
  check_strides(extent, array.example_stride, array.head_stride, array.token_stride, name);
  if (extent.examples > 0 && extent.tokens > 0) require(array.data, (name + ".data").c_str());
}

std::vector<std::vector<std::int64_t>> live_tokens(std::int64_t examples, std::int64_t tokens,
                                                   const std::int64_t* lengths,
                                                   const std::uint8_t* mask, const char* name) {
  std::vector<std::vector<std::int64_t>> live(static_cast<std::size_t>(examples));
  for (std::int64_t b = 0; b < examples; ++b) {
    if (lengths) require_range(lengths[b], 0, tokens, name);
    const std::int64_t count = lengths ? lengths[b] : tokens;
    for (std::int64_t i = 0; i < count; ++i)
      if (!mask || mask[b * tokens + i] != 0) live[static_cast<std::size_t>(b)].push_back(i);
  }
  return live;
}

template <class T>
const T* row_of(const HeadArray<const T>& array, std::int64_t example, std::int64_t head,
                std::int64_t token) {
  return array.data + example * array.example_stride + head * array.head_stride +
         token * array.token_stride;
}

template <class T>
void check_finite(const HeadArray<const T>& array, const Extent& extent,
                  const std::vector<std::vector<std::int64_t>>& live, const char* name) {
  for (std::int64_t b = 0; b < extent.examples; ++b)
    for (std::int64_t h = 0; h < extent.heads; ++h)
      for (const std::int64_t i : live[static_cast<std::size_t>(b)]) {
        const T* row = row_of(array, b, h, i);
        if (!std::all_of(row, row + extent.columns, [](T x) { return std::isfinite(x); }))
          throw base::NumericalError(std::string(name) + ": token " + std::to_string(i) +
                                     " of head " + std::to_string(h) + " of example " +
                                     std::to_string(b) + " has a value that is not finite");
      }
}

}  // namespace

HeadArray<const float> head_array(const asap_array& array) {
  return {array.data, array.example_stride, array.head_stride, array.token_stride};
}

HeadArray<float> head_array(const asap_result& result) {
  return {result.data, result.example_stride, result.head_stride, result.token_stride};
}

HeadArrays<float> head_arrays(const asap_attention& a) {
  return {.examples = a.examples,
          .heads = a.heads,
          .query_tokens = a.query_tokens,
          .key_tokens = a.key_tokens,
          .width = a.width,
          .value_width = a.value_width,
          .queries = head_array(a.queries),
          .keys = head_array(a.keys),
          .values = head_array(a.values),
          .query_lengths = a.query_lengths,
          .key_lengths = a.key_lengths,
          .query_mask = a.query_mask,
          .key_mask = a.key_mask,
          .scale = a.scale};
}

template <class T>
PackedHeads<T>::PackedHeads(const HeadArrays<T>& arrays, bool with_values) : arrays_(arrays) {
  require_range(arrays.examples, 0, kLargestExtent, "examples");
  require_range(arrays.heads, 1, kLargestExtent, "heads");
  require_range(arrays.query_tokens, 0, kLargestExtent, "query_tokens");
  require_range(arrays.key_tokens, 0, kLargestExtent, "key_tokens");
  require_range(arrays.width, 1, kLargestExtent, "width");
  if (!std::isfinite(arrays.scale) || arrays.scale < 0)
    throw base::UsageError("scale must be 0 or positive and finite");
  const Extent queries{arrays.examples, arrays.heads, arrays.query_tokens, arrays.width};
  const Extent keys{arrays.examples, arrays.heads, arrays.key_tokens, arrays.width};
  check_array(arrays.queries, queries, "queries");
  check_array(arrays.keys, keys, "keys");
  queries_ = live_tokens(arrays.examples, arrays.query_tokens, arrays.query_lengths,
                         arrays.query_mask, "a query length");
  keys_ = live_tokens(arrays.examples, arrays.key_tokens, arrays.key_lengths, arrays.key_mask,
                      "a key length");
  check_finite(arrays.queries, queries, queries_, "queries");
  check_finite(arrays.keys, keys, keys_, "keys");
  if (!with_values) return;
  require_range(arrays.value_width, 1, kLargestExtent, "value_width");
  const Extent values{arrays.examples, arrays.heads, arrays.key_tokens, arrays.value_width};
  check_array(arrays.values, values, "values");
  check_finite(arrays.values, values, keys_, "values");
}

template <class T>
void PackedHeads<T>::check_gradient(const HeadArray<const T>& output_gradient) const {
  const Extent extent{arrays_.examples, arrays_.heads, arrays_.query_tokens, arrays_.value_width};
  check_array(output_gradient, extent, "output_gradient");
  check_finite(output_gradient, extent, queries_, "output_gradient");
}

template <class T>
tensor::MatrixView<const T> PackedHeads<T>::rows_of(const HeadArray<const T>& array,
                                                    std::int64_t example, std::int64_t head,
                                                    const std::vector<std::int64_t>& live,
                                                    std::int64_t columns,
                                                    tensor::Arena& arena) const {
  const std::int64_t count = std::ssize(live);
  if (count == 0) return {nullptr, 0, columns};
  if (live.back() == count - 1)
    return {row_of(array, example, head, 0), count, columns, array.token_stride};
  const tensor::MatrixView<T> rows = arena.matrix<T>(count, columns);
  for (std::int64_t i = 0; i < count; ++i)
    std::copy_n(row_of(array, example, head, live[static_cast<std::size_t>(i)]), columns,
                rows.row(i).begin());
  return rows;
}

template <class T>
attention::AttentionHead<T> PackedHeads<T>::head(std::int64_t example, std::int64_t index, T scale,
                                                 tensor::Arena& arena) const {
  const HeadArrays<T>& a = arrays_;
  return {rows_of(a.queries, example, index, live_queries(example), a.width, arena),
          rows_of(a.keys, example, index, live_keys(example), a.width, arena),
          rows_of(a.values, example, index, live_keys(example), a.value_width, arena), scale};
}

template <class T>
T PackedHeads<T>::scale() const {
  return arrays_.scale > 0 ? arrays_.scale : 1 / std::sqrt(static_cast<T>(arrays_.width));
}

template <class T>
void check_result(const HeadArray<T>& result, const HeadArrays<T>& arrays, std::int64_t tokens,
                  std::int64_t columns, const char* name) {
  check_array<T>({result.data, result.example_stride, result.head_stride, result.token_stride},
                 {arrays.examples, arrays.heads, tokens, columns}, name);
}

template <class T>
void write_rows(const HeadArray<T>& result, std::int64_t example, std::int64_t head,
                std::int64_t tokens, const std::vector<std::int64_t>& live,
                tensor::MatrixView<const T> values) {
  std::size_t next = 0;
  for (std::int64_t i = 0; i < tokens; ++i) {
    T* row = result.data + example * result.example_stride + head * result.head_stride +
             i * result.token_stride;
    if (next < live.size() && live[next] == i) {
      std::ranges::copy(values.row(static_cast<std::int64_t>(next)), row);
      ++next;
    } else {
      std::fill_n(row, values.cols, T(0));
    }
  }
}

template class PackedHeads<float>;
template class PackedHeads<double>;
template void check_result(const HeadArray<float>&, const HeadArrays<float>&, std::int64_t,
                           std::int64_t, const char*);
template void check_result(const HeadArray<double>&, const HeadArrays<double>&, std::int64_t,
                           std::int64_t, const char*);
template void write_rows(const HeadArray<float>&, std::int64_t, std::int64_t, std::int64_t,
                         const std::vector<std::int64_t>&, tensor::MatrixView<const float>);
template void write_rows(const HeadArray<double>&, std::int64_t, std::int64_t, std::int64_t,
                         const std::vector<std::int64_t>&, tensor::MatrixView<const double>);

}  // namespace asap::c_api
