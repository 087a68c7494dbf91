#include "attention/transport/sliced_rows.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "support/kernel_operands.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

namespace {

constexpr std::int64_t kRows = 53, kColumns = 38;

/// A matrix whose rows and columns have many lengths, 0 among them.
struct Sparse {
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> columns;
  std::vector<double> entries;
  std::vector<double> dense = std::vector<double>(kRows * kColumns);

  Sparse() {
    for (std::int32_t i = 0; i < kRows; ++i) {
      for (std::int32_t j = 0; j < kColumns; ++j) {
        if (i % 7 == 3 || j == 5 || (i * j + i) % (2 + j % 9) != 0) continue;
        columns.push_back(j);
        entries.push_back(1 + i * 100 + j);
        dense[static_cast<std::size_t>(i * kColumns + j)] = entries.back();
      }
      starts.push_back(std::ssize(columns));
    }
  }
};

/// The matrix of the slices, with the lines as rows.
std::vector<double> unsliced(const SlicedRows<double>& sliced, std::int64_t columns) {
  std::vector<double> dense(static_cast<std::size_t>(sliced.rows * columns));
  for (std::int64_t place = 0; place < std::ssize(sliced.order); ++place)
    for (std::int32_t k = 0; k < sliced.lengths[place]; ++k) {
      const std::int64_t at =
          sliced.starts[place / kSliceRows] + k * kSliceRows + place % kSliceRows;
      dense[static_cast<std::size_t>(sliced.order[place] * columns + sliced.columns[at])] +=
          sliced.entries[at];
    }
  return dense;
}

}  // namespace

TEST_CASE("slices hold every entry of a matrix, or of its transpose, once") {
  const Sparse sparse;
  const CompressedRows<double> matrix{sparse.starts, sparse.columns, sparse.entries};
  Arena arena;
  CHECK(unsliced(slice(matrix, kColumns, SlicedLines::rows, arena), kColumns) == sparse.dense);
  const std::vector<double> turned =
      unsliced(slice(matrix, kColumns, SlicedLines::columns, arena), kRows);
  for (std::int64_t i = 0; i < kRows; ++i)
    for (std::int64_t j = 0; j < kColumns; ++j)
      CHECK(turned[static_cast<std::size_t>(j * kRows + i)] ==
            sparse.dense[static_cast<std::size_t>(i * kColumns + j)]);
}

TEST_CASE("rows come from the longest to the shortest, padded to whole slices by nothing") {
  const Sparse sparse;
  const CompressedRows<double> matrix{sparse.starts, sparse.columns, sparse.entries};
  Arena arena;
  const SlicedRows<double> sliced = slice(matrix, kColumns, SlicedLines::rows, arena);
  CHECK(sliced.slices() == 4);
  CHECK(sliced.rows == kRows);
  CHECK(std::ranges::is_sorted(sliced.lengths, std::greater<>()));
  for (std::size_t place = 0; place < sliced.order.size(); ++place) {
    const std::int32_t row = sliced.order[place];
    CHECK((row < 0) == (place >= kRows));
    const std::int64_t length =
        row < 0 ? 0 : sparse.starts[row + 1] - sparse.starts[static_cast<std::size_t>(row)];
    CHECK(sliced.lengths[place] == length);
    if (row >= 0 && place > 0 && sliced.lengths[place - 1] == length)
      CHECK(sliced.order[place - 1] < row);
  }
  for (std::size_t at = 0; at < sliced.columns.size(); ++at) {
    CHECK(sliced.columns[at] >= 0);
    CHECK(sliced.columns[at] < kColumns);
    if (sliced.entries[at] == 0) CHECK(sliced.columns[at] == 0);
  }
}

TEST_CASE("a matrix without rows or entries has slices of nothing") {
  Arena arena;
  const std::vector<std::int64_t> none{0}, empty(21, 0);
  CHECK(slice<float>({none, {}, {}}, 3, SlicedLines::rows, arena).slices() == 0);
  const SlicedRows<float> rows = slice<float>({empty, {}, {}}, 3, SlicedLines::rows, arena);
  CHECK(rows.slices() == 2);
  CHECK(rows.entries.empty());
  CHECK(slice<float>({empty, {}, {}}, 3, SlicedLines::columns, arena).rows == 3);
}
