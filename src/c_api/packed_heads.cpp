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

void check_array(const asap_array& array, const Extent& extent, const std::string& name) {
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

const float* row_of(const asap_array& array, std::int64_t example, std::int64_t head,
                    std::int64_t token) {
  return array.data + example * array.example_stride + head * array.head_stride +
         token * array.token_stride;
}

void check_finite(const asap_array& array, const Extent& extent,
                  const std::vector<std::vector<std::int64_t>>& live, const char* name) {
  for (std::int64_t b = 0; b < extent.examples; ++b)
    for (std::int64_t h = 0; h < extent.heads; ++h)
      for (const std::int64_t i : live[static_cast<std::size_t>(b)]) {
        const float* row = row_of(array, b, h, i);
        if (!std::all_of(row, row + extent.columns, [](float x) { return std::isfinite(x); }))
          throw base::NumericalError(std::string(name) + ": token " + std::to_string(i) +
                                     " of head " + std::to_string(h) + " of example " +
                                     std::to_string(b) + " has a value that is not finite");
      }
}

}  // namespace

PackedHeads::PackedHeads(const asap_attention& attention, bool with_values)
    : attention_(attention) {
  require_range(attention.examples, 0, kLargestExtent, "examples");
  require_range(attention.heads, 1, kLargestExtent, "heads");
  require_range(attention.query_tokens, 0, kLargestExtent, "query_tokens");
  require_range(attention.key_tokens, 0, kLargestExtent, "key_tokens");
  require_range(attention.width, 1, kLargestExtent, "width");
  if (!std::isfinite(attention.scale) || attention.scale < 0)
    throw base::UsageError("scale must be 0 or positive and finite");
  const Extent queries{attention.examples, attention.heads, attention.query_tokens,
                       attention.width};
  const Extent keys{attention.examples, attention.heads, attention.key_tokens, attention.width};
  check_array(attention.queries, queries, "queries");
  check_array(attention.keys, keys, "keys");
  queries_ = live_tokens(attention.examples, attention.query_tokens, attention.query_lengths,
                         attention.query_mask, "a query length");
  keys_ = live_tokens(attention.examples, attention.key_tokens, attention.key_lengths,
                      attention.key_mask, "a key length");
  check_finite(attention.queries, queries, queries_, "queries");
  check_finite(attention.keys, keys, keys_, "keys");
  if (!with_values) return;
  require_range(attention.value_width, 1, kLargestExtent, "value_width");
  const Extent values{attention.examples, attention.heads, attention.key_tokens,
                      attention.value_width};
  check_array(attention.values, values, "values");
  check_finite(attention.values, values, keys_, "values");
}

void PackedHeads::check_gradient(const asap_array& output_gradient) const {
  const Extent extent{attention_.examples, attention_.heads, attention_.query_tokens,
                      attention_.value_width};
  check_array(output_gradient, extent, "output_gradient");
  check_finite(output_gradient, extent, queries_, "output_gradient");
}

tensor::MatrixView<const float> PackedHeads::rows_of(const asap_array& array, std::int64_t example,
                                                     std::int64_t head,
                                                     const std::vector<std::int64_t>& live,
                                                     std::int64_t columns,
                                                     tensor::Arena& arena) const {
  const std::int64_t count = std::ssize(live);
  if (count == 0) return {nullptr, 0, columns};
  if (live.back() == count - 1)
    return {row_of(array, example, head, 0), count, columns, array.token_stride};
  const tensor::MatrixView<float> rows = arena.matrix<float>(count, columns);
  for (std::int64_t i = 0; i < count; ++i)
    std::copy_n(row_of(array, example, head, live[static_cast<std::size_t>(i)]), columns,
                rows.row(i).begin());
  return rows;
}

attention::AttentionHead<float> PackedHeads::head(std::int64_t example, std::int64_t index,
                                                  float scale, tensor::Arena& arena) const {
  const asap_attention& a = attention_;
  return {rows_of(a.queries, example, index, live_queries(example), a.width, arena),
          rows_of(a.keys, example, index, live_keys(example), a.width, arena),
          rows_of(a.values, example, index, live_keys(example), a.value_width, arena), scale};
}

float PackedHeads::scale() const {
  return attention_.scale > 0 ? attention_.scale
                              : 1 / std::sqrt(static_cast<float>(attention_.width));
}

void check_result(const asap_result& result, const asap_attention& attention, std::int64_t tokens,
                  std::int64_t columns, const char* name) {
  check_array({result.data, result.example_stride, result.head_stride, result.token_stride},
              {attention.examples, attention.heads, tokens, columns}, name);
}

void write_rows(const asap_result& result, std::int64_t example, std::int64_t head,
                std::int64_t tokens, const std::vector<std::int64_t>& live,
                tensor::MatrixView<const float> values) {
  std::size_t next = 0;
  for (std::int64_t i = 0; i < tokens; ++i) {
    float* row = result.data + example * result.example_stride + head * result.head_stride +
                 i * result.token_stride;
    if (next < live.size() && live[next] == i) {
      std::ranges::copy(values.row(static_cast<std::int64_t>(next)), row);
      ++next;
    } else {
      std::fill_n(row, values.cols, 0.0f);
    }
  }
}

}  // namespace asap::c_api
