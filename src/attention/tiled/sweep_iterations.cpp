#include "attention/tiled/sweep_iterations.h"

#include <algorithm>
#include <cmath>

#include "attention/stored/column_updates.h"
#include "attention/tiled/tile_operands.h"

namespace asap::attention {
namespace {

/// v_j = 1 / column sum, 0 for padding. With slack, v holds the scalings before.
void update_column_scaling(const GibbsSweep& sweep, std::int64_t m, const SlackColumns& slack,
                           tensor::VectorView<float> v, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  tensor::VectorView<const float> sums = sweep.column_sums();
  if (slack.exists()) {
    const auto live = static_cast<std::size_t>(m);
    const tensor::VectorView<float> all = scratch.vector<float>(m);
    std::ranges::copy(sums.first(live), all.begin());
    slack.add(sweep.column_exponent(), v.first(live), all, scratch);
    sums = all;
  }
  for (std::int64_t j = 0; j < m; ++j) v[j] = 1.0f / sums[j];
  std::fill(v.begin() + m, v.end(), 0.0f);
}

/// mean_j |M/N v_j sum_i A_ij - 1| from the column sums in `sweep`. v: [padded_keys], the factors
/// that sums of a kept Gibbs kernel lack.
double swept_column_error(const GibbsSweep& sweep, const TiledHead& tiled,
                          tensor::VectorView<const float> v) {
  const float mass = static_cast<float>(tiled.n) / static_cast<float>(tiled.m);
  return static_cast<double>(column_error<float>(
      tiled.m, mass * std::exp2(-sweep.column_exponent()), sweep.column_sums(), v));
}

/// The same without factors.
double swept_column_error(const GibbsSweep& sweep, const TiledHead& tiled, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::VectorView<float> ones = scratch.vector<float>(tiled.padded_keys());
  std::ranges::fill(ones, 1.0f);
  return swept_column_error(sweep, tiled, ones);
}

/// Measures the plan of the first pass if start_guard wants it. Whether a loop takes over.
bool gives_way_at_once(const GibbsSweep& sweep, const TiledHead& tiled,
                       const Iterations& iterations, ColumnCertificate& certificate,
                       tensor::Arena& scratch) {
  if (!iterations.start_guard) return false;
  certificate.start_error = swept_column_error(sweep, tiled, scratch);
  return iterations.start_guard->gives_way_at_once(certificate.start_error);
}

/// mean_i |weight_i sum_i N/M - 1| over rows, where columns that are weighed so sum to 1. Both:
/// [padded rows].
double mean_row_error(const TiledHead& tiled, tensor::VectorView<const float> weights,
                      tensor::VectorView<const float> row_sums) {
  return static_cast<double>(column_error<float>(
      tiled.n, static_cast<float>(tiled.m) / static_cast<float>(tiled.n), row_sums, weights));
}

/// The weights of rows behind the column sums in `sweep`, 2^(row_dual - row_offset - exponent):
/// [padded rows].
tensor::VectorView<float> swept_row_weights(const GibbsSweep& sweep, const TiledHead& tiled,
                                            tensor::VectorView<const float> row_dual,
                                            tensor::VectorView<const float> row_offset,
                                            tensor::Arena& scratch) {
  const tensor::VectorView<float> weights = scratch.vector<float>(tiled.padded_rows());
  std::ranges::fill(weights, 0.0f);
  for (std::int64_t i = 0; i < tiled.n; ++i)
    weights[i] = row_dual[i] - row_offset[i] - sweep.column_exponent();
  exp2_values(weights, weights);
  return weights;
}

}  // namespace

void update_column_dual(const GibbsSweep& sweep, std::int64_t m, const SlackColumns& slack,
                        tensor::VectorView<float> column_dual, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const auto live = static_cast<std::size_t>(m);
  const tensor::VectorView<float> logs = scratch.vector<float>(m);
  if (slack.exists()) {
    std::ranges::copy(sweep.column_sums().first(live), logs.begin());
    slack.add_scaled(sweep.column_exponent(), column_dual.first(live), logs, scratch);
    log2_values(logs, logs);
  } else {
    log2_values(sweep.column_sums().first(live), logs);
  }
  for (std::int64_t j = 0; j < m; ++j) column_dual[j] -= logs[j] + sweep.column_exponent();
}

void RowNormalisation::operator()(std::int64_t first, std::int64_t count, const float* row_sums,
                                  float* log_weights) const {
  const auto size = static_cast<std::size_t>(round_up(count, kTilePadding));
  log2_values({row_sums, size}, {log_weights, size});
  for (std::int64_t i = 0; i < count; ++i) {
    log_weights[i] = -log_weights[i];
    row_dual[first + i] += log_weights[i];
  }
}

int Iterations::more(double error, ColumnCertificate& certificate) const {
  certificate.column_error = error;
  // Written so that NaN goes on.
  if (!loop_guard || error <= loop_guard->limit) return 0;
  return certificate.iterations = loop_guard->whole - plain - 1;
}

ColumnCertificate finish_kept(GibbsSweep& sweep, const TiledHead& tiled,
                              const Iterations& iterations,
                              tensor::VectorView<const float> row_offset,
                              tensor::MatrixView<const float> values,
                              tensor::MatrixView<float> output, tensor::Arena& scratch) {
  const tensor::VectorView<float> v = scratch.vector<float>(tiled.padded_keys());
  ColumnCertificate certificate;
  if (gives_way_at_once(sweep, tiled, iterations, certificate, scratch)) return certificate;
  const double first_error = iterations.loop_guard ? swept_column_error(sweep, tiled, scratch) : 0;
  std::ranges::fill(v, 1.0f);
  const auto update_columns = [&] {
    update_column_scaling(sweep, tiled.m, iterations.slack, v, scratch);
  };
  update_columns();
  for (int t = 1; t <= iterations.corrections; ++t) {
    const auto correct = iterations.correction(t, row_offset);
    const RowUpdate update(correct);
    sweep.sweep_kept(v, &update);
    update_columns();
  }
  const auto iterate = [&](int count, bool measure) {
    double error = first_error;
    for (int t = 1; t <= count; ++t) {
      sweep.sweep_kept(v);
      if (measure && t == count) error = swept_column_error(sweep, tiled, v);
      update_columns();
    }
    return error;
  };
  const double error = iterate(iterations.plain, iterations.loop_guard != nullptr);
  if (iterations.loop_guard) iterate(iterations.more(error, certificate), false);
  while (iterations.guard) {
    sweep.sweep_kept(v);
    if (!certificate.goes_on(*iterations.guard, swept_column_error(sweep, tiled, v))) break;
    update_columns();
  }
  tensor::VectorView<float> weights, row_sums;
  if (iterations.bound) {
    weights =
        swept_row_weights(sweep, tiled, iterations.recursion->row_dual(), row_offset, scratch);
    row_sums = scratch.vector<float>(tiled.padded_rows());
  }
  sweep.apply_kept(v, values, output, row_sums);
  if (iterations.bound) certificate.column_error = mean_row_error(tiled, weights, row_sums);
  return certificate;
}

ColumnCertificate finish_recomputing(GibbsSweep& sweep, const TiledHead& tiled,
                                     const Iterations& iterations,
                                     tensor::VectorView<float> row_dual,
                                     tensor::MatrixView<const float> values,
                                     tensor::MatrixView<float> output, tensor::Arena& scratch) {
  const tensor::VectorView<float> column_dual = zero_column_offsets(tiled, scratch);
  ColumnCertificate certificate;
  if (gives_way_at_once(sweep, tiled, iterations, certificate, scratch)) return certificate;
  const double first_error = iterations.loop_guard ? swept_column_error(sweep, tiled, scratch) : 0;
  const auto update_columns = [&] {
    update_column_dual(sweep, tiled.m, iterations.slack, column_dual, scratch);
  };
  update_columns();
  for (int t = 1; t <= iterations.corrections; ++t) {
    sweep.compute(row_dual, column_dual, iterations.correction(t, row_dual));
    update_columns();
  }
  const auto iterate = [&](int count, bool measure) {
    double error = first_error;
    for (int t = 1; t <= count; ++t) {
      sweep.compute(row_dual, column_dual, RowNormalisation{row_dual});
      if (measure && t == count) error = swept_column_error(sweep, tiled, scratch);
      update_columns();
    }
    return error;
  };
  const double error = iterate(iterations.plain, iterations.loop_guard != nullptr);
  if (iterations.loop_guard) iterate(iterations.more(error, certificate), false);
  if (iterations.guard) {
    // Apart from the dual, which the output needs as it is if nothing more is iterated.
    const tensor::VectorView<float> next = scratch.vector<float>(std::ssize(row_dual));
    for (;;) {
      std::ranges::copy(row_dual, next.begin());
      sweep.compute(row_dual, column_dual, RowNormalisation{next});
      if (!certificate.goes_on(*iterations.guard, swept_column_error(sweep, tiled, scratch))) break;
      std::ranges::copy(next, row_dual.begin());
      update_columns();
    }
  }
  tensor::VectorView<float> ones, row_sums;
  if (iterations.bound) {
    ones = scratch.vector<float>(tiled.padded_rows());
    std::ranges::fill(ones, 1.0f);
    row_sums = scratch.vector<float>(tiled.padded_rows());
  }
  sweep.apply_computed(row_dual, column_dual, values, output, row_sums);
  if (iterations.bound) certificate.column_error = mean_row_error(tiled, ones, row_sums);
  return certificate;
}

}  // namespace asap::attention
