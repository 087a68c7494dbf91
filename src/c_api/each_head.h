#pragma once

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "c_api/packed_heads.h"
#include "c_api/threads.h"

namespace asap::c_api {

/// Runs body(example, head, arena) for every head of every example, on threads() threads.
template <class T, class Body>
void for_each_head(const PackedHeads<T>& heads, const Body& body) {
  const int count = threads();
  std::vector<tensor::Arena> arenas(static_cast<std::size_t>(count));
  base::parallel_for(heads.examples() * heads.heads(), count, [&](std::int64_t index, int worker) {
    tensor::Arena& arena = arenas[static_cast<std::size_t>(worker)];
    const tensor::ArenaScope scope(arena);
    body(index / heads.heads(), index % heads.heads(), arena);
  });
}

/// Attention without live keys or queries is zero.
template <class T>
bool is_empty(const PackedHeads<T>& heads, std::int64_t example) {
  return heads.live_queries(example).empty() || heads.live_keys(example).empty();
}

/// Writes what attend(index of the head, head, out, arena) leaves in out, the live rows of a head,
/// for every head of every example: output: [examples, heads, N, Dv], zero where nothing is live.
/// `scale`: of the scores. UsageError unless the output can be written.
template <class T, class Attend>
void write_attention(const PackedHeads<T>& heads, T scale, const HeadArray<T>& output,
                     const Attend& attend) {
  const HeadArrays<T>& arrays = heads.arrays();
  check_result(output, arrays, arrays.query_tokens, arrays.value_width, "output");
  for_each_head(heads, [&](std::int64_t example, std::int64_t index, tensor::Arena& arena) {
    const std::vector<std::int64_t>& live = heads.live_queries(example);
    const tensor::MatrixView<T> out = arena.matrix<T>(std::ssize(live), arrays.value_width);
    if (is_empty(heads, example))
      std::fill_n(out.data, out.rows * out.cols, T(0));
    else
      attend(index, heads.head(example, index, scale, arena), out, arena);
    write_rows<T>(output, example, index, arrays.query_tokens, live, out);
  });
}

}  // namespace asap::c_api
