#include "attention/transport/sliced_rows.h"

#include <algorithm>

namespace asap::attention {
namespace {

/// Entries of every line.
template <class T>
tensor::VectorView<std::int32_t> count_entries(const CompressedRows<T>& matrix,
                                               std::int64_t columns, SlicedLines lines,
                                               tensor::Arena& arena) {
  const bool by_rows = lines == SlicedLines::rows;
  const auto counts = arena.vector<std::int32_t>(by_rows ? matrix.rows() : columns);
  std::ranges::fill(counts, 0);
  if (by_rows)
    for (std::size_t i = 0; i < counts.size(); ++i)
      counts[i] = static_cast<std::int32_t>(matrix.starts[i + 1] - matrix.starts[i]);
  else
    for (const std::int32_t j : matrix.columns) ++counts[j];
  return counts;
}

/// The lines from the longest to the shortest, those of one length in their order; -1 behind them.
tensor::VectorView<std::int32_t> order_by_length(tensor::VectorView<const std::int32_t> counts,
                                                 std::int64_t padded, tensor::Arena& arena) {
  const std::int32_t longest = counts.empty() ? 0 : *std::ranges::max_element(counts);
  const auto next = arena.vector<std::int32_t>(longest + 2);
  std::ranges::fill(next, 0);
  for (const std::int32_t count : counts) ++next[longest - count + 1];
  for (std::size_t length = 1; length < next.size(); ++length) next[length] += next[length - 1];
  const auto order = arena.vector<std::int32_t>(padded);
  std::ranges::fill(order, -1);
  for (std::size_t line = 0; line < counts.size(); ++line)
    order[next[longest - counts[line]]++] = static_cast<std::int32_t>(line);
  return order;
}

}  // namespace

template <class T>
SlicedRows<T> slice(const CompressedRows<T>& matrix, std::int64_t columns, SlicedLines lines,
                    tensor::Arena& arena) {
  const auto counts = count_entries(matrix, columns, lines, arena);
  const std::int64_t slices = (std::ssize(counts) + kSliceRows - 1) / kSliceRows;
  const auto order = order_by_length(counts, slices * kSliceRows, arena);
  const auto lengths = arena.vector<std::int32_t>(slices * kSliceRows);
  const auto starts = arena.vector<std::int64_t>(slices);
  const auto next = arena.vector<std::int64_t>(std::ssize(counts));  // place of a line's next entry
  std::int64_t size = 0;
  for (std::int64_t place = 0; place < slices * kSliceRows; ++place) {
    const std::int64_t lane = place % kSliceRows;
    lengths[place] = order[place] < 0 ? 0 : counts[order[place]];
    if (lane == 0) {
      starts[place / kSliceRows] = size;
      size += lengths[place] * kSliceRows;
    }
    if (order[place] >= 0) next[order[place]] = starts[place / kSliceRows] + lane;
  }
  const auto others = arena.vector<std::int32_t>(size);
  const auto entries = arena.vector<T>(size);
  std::ranges::fill(others, 0);
  std::ranges::fill(entries, T(0));
  for (std::int64_t i = 0; i < matrix.rows(); ++i)
    for (std::int64_t k = matrix.starts[i]; k < matrix.starts[i + 1]; ++k) {
      const std::int64_t j = matrix.columns[k];
      const bool by_rows = lines == SlicedLines::rows;
      const std::int64_t to = next[by_rows ? i : j];
      next[by_rows ? i : j] += kSliceRows;
      others[to] = static_cast<std::int32_t>(by_rows ? j : i);
      entries[to] = matrix.entries[k];
    }
  return {order, lengths, starts, others, entries, std::ssize(counts)};
}

#define ASAP_INSTANTIATE(T)                                                            \
  template SlicedRows<T> slice<T>(const CompressedRows<T>&, std::int64_t, SlicedLines, \
                                  tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
