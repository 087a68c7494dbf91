#pragma once

#include <cstdint>
#include <vector>

#include "c_api/asap.h"

#include "base/random.h"
#include "tensor/core/tensor.h"

namespace asap::test {

/// Element (b, h, i, d) of a caller's array.
inline float at(const asap_array& array, std::int64_t b, std::int64_t h, std::int64_t i,
                std::int64_t d) {
  return array.data[b * array.example_stride + h * array.head_stride + i * array.token_stride + d];
}

/// Chosen tokens of one head in float64: [tokens, columns].
inline tensor::Tensor<double> gathered(const asap_array& array, std::int64_t b, std::int64_t h,
                                       const std::vector<std::int64_t>& tokens,
                                       std::int64_t columns) {
  tensor::Tensor<double> out({static_cast<std::int64_t>(tokens.size()), columns});
  for (std::size_t i = 0; i < tokens.size(); ++i)
    for (std::int64_t d = 0; d < columns; ++d)
      out.rows()(static_cast<std::int64_t>(i), d) = at(array, b, h, tokens[i], d);
  return out;
}

/// Random queries, keys and values of three examples and two heads: 9 queries of width 5, 13 keys,
/// values of width 4.
struct DrawnAttention {
  struct Settings {
    bool interleaved =
        false;            ///< [examples, tokens, heads, width] instead of [.., heads, tokens, ..]
    bool masked = false;  ///< lengths for the keys, masks with holes for both
    std::int64_t examples = 3;
  };

  explicit DrawnAttention(const Settings& settings) {
    attention.examples = settings.examples;
    attention.heads = 2;
    attention.query_tokens = 9;
    attention.key_tokens = 13;
    attention.width = 5;
    attention.value_width = 4;
    interleaved_ = settings.interleaved;
    queries = numbers(query_size(), 1);
    keys = numbers(key_size(), 2);
    values = numbers(value_size(), 3);
    attention.queries = place<asap_array>(queries.data(), 9, 5);
    attention.keys = place<asap_array>(keys.data(), 13, 5);
    attention.values = place<asap_array>(values.data(), 13, 4);
    if (!settings.masked) return;
    for (std::int64_t b = 0; b < settings.examples; ++b) {
      key_lengths.push_back(b == 0 ? 13 : 12 - b % 5);
      for (std::int64_t i = 0; i < 9; ++i) query_mask.push_back((i + b) % 4 != 1);
      for (std::int64_t j = 0; j < 13; ++j)
        key_mask.push_back(b == 2 || (j + b) % 3 != 0 ? 255 : 0);
    }
    attention.key_lengths = key_lengths.data();
    attention.query_mask = query_mask.data();
    attention.key_mask = key_mask.data();
  }
  DrawnAttention(const DrawnAttention&) = delete;

  static std::vector<float> numbers(std::size_t count, std::uint32_t seed) {
    base::RandomStream random(17, base::RandomPurpose::test, seed);
    std::vector<float> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<float>(random.normal()));
    return out;
  }

  std::vector<std::int64_t> live_queries(std::int64_t b) const {
    std::vector<std::int64_t> live;
    for (std::int64_t i = 0; i < attention.query_tokens; ++i)
      if (query_mask.empty() || query_mask[static_cast<std::size_t>(b * 9 + i)]) live.push_back(i);
    return live;
  }
  std::vector<std::int64_t> live_keys(std::int64_t b) const {
    std::vector<std::int64_t> live;
    for (std::int64_t j = 0; j < attention.key_tokens; ++j)
      if (key_mask.empty() || (j < key_lengths[static_cast<std::size_t>(b)] &&
                               key_mask[static_cast<std::size_t>(b * 13 + j)]))
        live.push_back(j);
    return live;
  }

  std::size_t query_size() const { return size(9, 5); }
  std::size_t key_size() const { return size(13, 5); }
  std::size_t value_size() const { return size(13, 4); }
  std::size_t output_size() const { return size(9, 4); }

  asap_result result(std::vector<float>& out) const { return place<asap_result>(out.data(), 9, 4); }
  static asap_result result_like(const asap_array& array, std::vector<float>& out) {
    return {out.data(), array.example_stride, array.head_stride, array.token_stride};
  }
  std::size_t output_place(std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t d) const {
    const asap_result r = place<asap_result>(nullptr, 9, 4);
    return static_cast<std::size_t>(b * r.example_stride + h * r.head_stride + i * r.token_stride +
                                    d);
  }

  asap_attention attention{};
  std::vector<float> queries, keys, values;
  std::vector<std::int64_t> key_lengths;
  std::vector<std::uint8_t> query_mask, key_mask;

 private:
  std::size_t size(std::int64_t tokens, std::int64_t columns) const {
    return static_cast<std::size_t>(attention.examples * 2 * tokens * columns);
  }
  template <class Array, class Pointer>
  Array place(Pointer data, std::int64_t tokens, std::int64_t columns) const {
    return interleaved_ ? Array{data, tokens * 2 * columns, columns, 2 * columns}
                        : Array{data, 2 * tokens * columns, tokens * columns, columns};
  }

  bool interleaved_ = false;
};

}  // namespace asap::test
