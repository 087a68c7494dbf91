#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include "c_api/packed_heads.h"

namespace asap::python {

/// An array of heads [examples, heads, tokens, columns]; the last axis is contiguous. `const T`: it
/// is read.
template <class T>
using Heads = nanobind::ndarray<T, nanobind::ndim<4>, nanobind::device::cpu>;

/// A contiguous array in memory.
template <class T, std::size_t Dimensions>
using Array =
    nanobind::ndarray<T, nanobind::ndim<Dimensions>, nanobind::c_contig, nanobind::device::cpu>;

/// Which tokens are live; see asap_attention.
struct LiveTokens {
  std::optional<Array<const std::int64_t, 1>> query_lengths, key_lengths;  ///< [examples]
  std::optional<Array<const std::uint8_t, 2>> query_mask, key_mask;        ///< [examples, tokens]
};

/// The strides of an axis of one element or none may be anything.
template <class T>
c_api::HeadArray<T> head_array(const Heads<T>& heads) {
  const auto stride = [&](std::size_t axis, std::int64_t unused) {
    return heads.size() > 0 && heads.shape(axis) > 1 ? heads.stride(axis) : unused;
  };
  return {heads.data(), stride(0, 0), stride(1, 0),
          stride(2, static_cast<std::int64_t>(heads.shape(3)))};
}

/// Queries, keys and values as the kernels read them; shapes must fit each other. `values` null: no
/// values.
template <class T>
c_api::HeadArrays<T> head_arrays(const Heads<const T>& queries, const Heads<const T>& keys,
                                 const Heads<const T>* values, const LiveTokens& live) {
  const auto at = [](const auto& heads, std::size_t axis) {
    return static_cast<std::int64_t>(heads.shape(axis));
  };
  c_api::HeadArrays<T> arrays;
  arrays.examples = at(queries, 0);
  arrays.heads = at(queries, 1);
  arrays.query_tokens = at(queries, 2);
  arrays.key_tokens = at(keys, 2);
  arrays.width = at(queries, 3);
  arrays.queries = head_array(queries);
  arrays.keys = head_array(keys);
  if (values) {
    arrays.value_width = at(*values, 3);
    arrays.values = head_array(*values);
  }
  if (live.query_lengths) arrays.query_lengths = live.query_lengths->data();
  if (live.key_lengths) arrays.key_lengths = live.key_lengths->data();
  if (live.query_mask) arrays.query_mask = live.query_mask->data();
  if (live.key_mask) arrays.key_mask = live.key_mask->data();
  return arrays;
}

}  // namespace asap::python
