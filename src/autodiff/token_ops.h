#pragma once

#include <cstdint>
#include <span>

#include "autodiff/tape.h"

namespace asap::autodiff {

/// Rows of a table: out(i, :) = table(indices(i), :). table: [entries, W] -> [indices, W]. Indices
/// must outlive the pass; InternalError when one is outside the table.
template <class T>
Var<T> embedding(Var<T> table, std::span<const std::int32_t> indices);

/// Mean over the live tokens of each example. x: [B, N, W] -> [B, W]. live: [B] number of live
/// tokens (they come first), empty = all; an example without live tokens gives zeros.
template <class T>
Var<T> mean_pool(Var<T> x, std::span<const std::int32_t> live);

/// Token `index` of each example. x: [B, N, W] -> [B, W].
template <class T>
Var<T> select_token(Var<T> x, std::int64_t index);

/// The first `count` rows of a table: [entries, W] -> [count, W]. count <= entries.
template <class T>
Var<T> first_rows(Var<T> table, std::int64_t count);

/// Puts the same token before those of each example. token: [W], x: [B, N, W] -> [B, N + 1, W].
template <class T>
Var<T> prepend_token(Var<T> token, Var<T> x);

/// Adds the same vector to the last tokens of each example, from token first[b] on. vector: [W], x:
/// [B, N, W] -> [B, N, W]. first: [B], each in 0 .. N; must outlive the pass.
template <class T>
Var<T> add_to_last_tokens(Var<T> vector, Var<T> x, std::span<const std::int64_t> first);

/// What makes the dropped values of one pass a pure function of the run: its seed, the step, and
/// which examples (their number in the batch) the rows belong to.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t first_example = 0;
  std::uint32_t op = 0;  ///< distinguishes the dropouts of one pass; less than kMaxDropouts
  static constexpr std::uint32_t kMaxDropouts = 256;
};

/// Inverted dropout: each value is zero with probability `rate`, else divided by 1 - rate. The
/// first dimension of x counts examples. rate in [0, 1).
template <class T>
Var<T> dropout(Var<T> x, double rate, const DropoutKey& key);

}  // namespace asap::autodiff
