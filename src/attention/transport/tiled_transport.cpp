#include "attention/transport/tiled_transport.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "attention/tiled/gibbs_sweep.h"
#include "attention/tiled/tile_operands.h"
#include "tensor/kernels/elementwise.h"

namespace asap::attention {
namespace {

/// Descriptors in D + 2 dimensions, one row more than there are: (x, 0, z) for queries and
/// (y, 1, 0) for keys. With (0, z, z) and (0, 0, 1) behind them, all products with either dustbin
/// are z. Keys stay short, because bounds of all scores are products of lengths.
tensor::MatrixView<float> widened(tensor::MatrixView<const float> points,
                                  const std::array<float, 2>& own, const std::array<float, 2>& bin,
                                  tensor::Arena& arena) {
  const std::int64_t width = points.cols;
  const auto out = arena.matrix<float>(points.rows + 1, width + 2);
  for (std::int64_t i = 0; i < points.rows; ++i) {
    std::ranges::copy(points.row(i), out.row(i).begin());
    std::ranges::copy(own, out.row(i).begin() + width);
  }
  std::ranges::fill(out.row(points.rows), 0.0f);
  std::ranges::copy(bin, out.row(points.rows).begin() + width);
  return out;
}

/// f_i <- f_i + log2 a_i - log2 row sum, of points a_i = 1 and of the dustbin, the last row.
struct WeightedRows {
  tensor::VectorView<float> row_dual;
  std::int64_t bin;
  float log_bin_mass;

  void operator()(std::int64_t first, std::int64_t count, const float* row_sums,
                  float* log_weights) const {
    const auto size = static_cast<std::size_t>(round_up(count, kTilePadding));
    log2_values({row_sums, size}, {log_weights, size});
    for (std::int64_t i = 0; i < count; ++i) {
      log_weights[i] = (first + i == bin ? log_bin_mass : 0.0f) - log_weights[i];
      row_dual[first + i] += log_weights[i];
    }
  }
};

/// g_j <- g_j + log2 b_j - log2 column sum. column_dual: points, the dustbin, padding.
void update_columns(const GibbsSweep& sweep, std::int64_t points, float log_bin_mass,
                    tensor::VectorView<float> column_dual, tensor::VectorView<float> logs) {
  log2_values(sweep.column_sums().first(logs.size()), logs);
  for (std::size_t j = 0; j < logs.size(); ++j) column_dual[j] -= logs[j] + sweep.column_exponent();
  column_dual[points] += log_bin_mass;
}

}  // namespace

bool tiled_transport(const DescriptorTransport& problem, int iterations, int threads,
                     const TransportDuals<float>& duals, tensor::Arena& scratch) {
  const std::int64_t n = problem.queries.rows, m = problem.keys.rows;
  base::check(n > 0 && m > 0 && problem.queries.cols == problem.keys.cols && iterations >= 0 &&
                  std::ssize(duals.rows) == n + 1 && std::ssize(duals.columns) == m + 1,
              "tiled_transport: shapes do not fit");
  const tensor::ArenaScope scope(scratch);
  const float z = problem.bin;
  const AttentionHead<float> head{
      .queries = widened(problem.queries, {0, z}, {z, z}, scratch),
      .keys = widened(problem.keys, {1, 0}, {0, 1}, scratch),
      .values = {},
      .scale = 1,
  };
  const TiledHead tiled = tile_head(head, false, scratch);
  GibbsSweep sweep(tiled, {.storage = GibbsStorage::recompute, .threads = threads}, scratch);
  const tensor::VectorView<float> row_dual = safe_row_offsets(tiled, scratch),
                                  column_dual = zero_column_offsets(tiled, scratch),
                                  logs = scratch.vector<float>(m + 1);
  const WeightedRows update_rows{row_dual, n, std::log2(static_cast<float>(m))};
  sweep.compute(row_dual, column_dual, update_rows);
  for (int t = 0; t < iterations; ++t) {
    update_columns(sweep, m, std::log2(static_cast<float>(n)), column_dual, logs);
    sweep.compute(row_dual, column_dual, update_rows);
  }
  if (!sweep.trustworthy()) return false;
  // Keys are centred, which takes a term from every score of a query.
  constexpr auto kLog2 = std::numbers::ln2_v<float>;
  for (std::int64_t i = 0; i <= n; ++i)
    duals.rows[i] =
        kLog2 * (row_dual[i] - tensor::dot<float>(tensor::MatrixView<const float>(tiled.x).row(i),
                                                  tensor::VectorView<const float>(tiled.key_mean)));
  for (std::int64_t j = 0; j <= m; ++j) duals.columns[j] = kLog2 * column_dual[j];
  return true;
}

}  // namespace asap::attention
