#include "attention/tiled/tiled_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "attention/compiled/compiled_attention.h"
#include "attention/compiled/key_bias.h"
#include "attention/stored/column_updates.h"
#include "attention/stored/sinkhorn_attention.h"
#include "attention/stored/softmax_attention.h"
#include "attention/tiled/column_pass.h"
#include "attention/tiled/dual_recursion.h"
#include "attention/tiled/fast_features.h"
#include "attention/tiled/slack_columns.h"
#include "attention/tiled/tile_operands.h"
#include "tensor/kernels/elementwise.h"

namespace asap::attention {
namespace {

/// Up to this size a kept Gibbs kernel beats a recomputed one, even from main memory.
constexpr std::int64_t kMostKeptBytes = std::int64_t{64} << 20;

/// Up to this size the stored form of Sinkhorn, which reads whole rows, beats row blocks.
constexpr std::int64_t kMostStoredLoopBytes = std::int64_t{2} << 20;

bool without_keys(const AttentionHead<float>& head, tensor::MatrixView<float> output) {
  if (head.queries.rows > 0 && head.keys.rows > 0) return false;
  for (std::int64_t i = 0; i < output.rows; ++i) std::ranges::fill(output.row(i), 0.0f);
  return true;
}

/// A row update that makes rows sum to 1: f_i -= log2 of the row sum.
struct RowNormalisation {
  tensor::VectorView<float> row_dual;

  void operator()(std::int64_t first, std::int64_t count, const float* row_sums,
                  float* log_weights) const {
    const auto size = static_cast<std::size_t>(round_up(count, kTilePadding));
    log2_values({row_sums, size}, {log_weights, size});
    for (std::int64_t i = 0; i < count; ++i) {
      log_weights[i] = -log_weights[i];
      row_dual[first + i] += log_weights[i];
    }
  }
};

/// g_j += log2(mass) - log2(column sum), the column update in the log domain; the mass is left out,
/// because rows are normalised last.
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

/// What follows the first pass: corrected iterations, then plain ones, then the closure.
struct Iterations {
  DualRecursion* recursion = nullptr;  // null without corrections
  int corrections = 0;
  int plain = 0;
  SlackColumns slack{};
  const ColumnGuard* guard = nullptr;     // null unless the column error is to be measured
  const LoopGuard* loop_guard = nullptr;  // null unless a cut loop may go on
  bool bound = false;                     // the row error before the last row update is wanted

  /// Plain iterations that follow the ones up to the last where the error before that one is known.
  int more(double error, ColumnCertificate& certificate) const {
    certificate.column_error = error;
    // Written so that NaN goes on.
    if (!loop_guard || error <= loop_guard->limit) return 0;
    return certificate.iterations = loop_guard->whole - plain - 1;
  }
};

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

/// The column update of the column sums in `sweep`, the iterations, and the product with the
/// values, which includes the last row update. row_offset: of the kept Gibbs kernel.
ColumnCertificate finish_kept(GibbsSweep& sweep, const TiledHead& tiled,
                              const Iterations& iterations,
                              tensor::VectorView<const float> row_offset,
                              tensor::MatrixView<const float> values,
                              tensor::MatrixView<float> output, tensor::Arena& scratch) {
  const tensor::VectorView<float> v = scratch.vector<float>(tiled.padded_keys());
  ColumnCertificate certificate;
  const double first_error = iterations.loop_guard ? swept_column_error(sweep, tiled, scratch) : 0;
  std::ranges::fill(v, 1.0f);
  const auto update_columns = [&] {
    update_column_scaling(sweep, tiled.m, iterations.slack, v, scratch);
  };
  update_columns();
  for (int t = 1; t <= iterations.corrections; ++t) {
    const auto correct = [&](std::int64_t first, std::int64_t count, const float* row_sums,
                             float* log_weights) {
      iterations.recursion->correct(t, first, count, row_offset, row_sums, log_weights);
    };
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

/// The same without a kept Gibbs kernel. row_dual: the exponents of the rows behind the column
/// sums.
ColumnCertificate finish_recomputing(GibbsSweep& sweep, const TiledHead& tiled,
                                     const Iterations& iterations,
                                     tensor::VectorView<float> row_dual,
                                     tensor::MatrixView<const float> values,
                                     tensor::MatrixView<float> output, tensor::Arena& scratch) {
  const tensor::VectorView<float> column_dual = zero_column_offsets(tiled, scratch);
  ColumnCertificate certificate;
  double error = iterations.loop_guard ? swept_column_error(sweep, tiled, scratch) : 0;
  const auto update_columns = [&] {
    update_column_dual(sweep, tiled.m, iterations.slack, column_dual, scratch);
  };
  update_columns();
  for (int t = 1; t <= iterations.corrections; ++t) {
    const auto correct = [&](std::int64_t first, std::int64_t count, const float* row_sums,
                             float* log_weights) {
      iterations.recursion->correct(t, first, count, row_dual, row_sums, log_weights);
    };
    sweep.compute(row_dual, column_dual, correct);
    update_columns();
  }
  const auto iterate = [&](int count) {
    for (int t = 0; t < count; ++t) {
      sweep.compute(row_dual, column_dual, RowNormalisation{row_dual});
      if (iterations.loop_guard) error = swept_column_error(sweep, tiled, scratch);
      update_columns();
    }
  };
  iterate(iterations.plain);
  if (iterations.loop_guard) iterate(iterations.more(error, certificate));
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

/// The predicted key bias in base 2, at most 0, as column offsets: [padded_keys].
tensor::VectorView<float> key_bias_offsets(const DualMap<float>& map,
                                           const AttentionHead<float>& head, const TiledHead& tiled,
                                           tensor::Arena& scratch) {
  const tensor::VectorView<float> offsets = zero_column_offsets(tiled, scratch);
  const auto keys = static_cast<std::size_t>(tiled.m);
  predict_before_scores(map, exchanged(head), tile_head(exchanged(head), true, scratch),
                        {offsets.data(), 1, tiled.m}, scratch);
  const float largest = tensor::maximum<float>(offsets.first(keys));
  for (float& offset : offsets.first(keys)) offset -= largest;
  return offsets;
}

}  // namespace

GibbsStorage best_storage(std::int64_t n, std::int64_t m, ProductPrecision precision) {
  const bool bfloat16 = precision == ProductPrecision::bfloat16 && bfloat16_kernels() != nullptr;
  const std::int64_t entry = bfloat16 ? sizeof(BFloat16) : sizeof(float);
  if (n * m * entry > kMostKeptBytes) return GibbsStorage::recompute;
  return bfloat16 ? GibbsStorage::bfloat16 : GibbsStorage::single;
}

TiledEvidence tiled_softmax_attention(const AttentionHead<float>& head, int threads,
                                      tensor::MatrixView<float> output, tensor::Arena& scratch,
                                      ProductPrecision precision) {
  if (without_keys(head, output)) return {};
  const tensor::ArenaScope scope(scratch);
  const TiledHead tiled = tile_head(head, false, scratch);
  GibbsSweep sweep(tiled, {.precision = precision, .threads = threads}, scratch);
  sweep.apply_computed(safe_row_offsets(tiled, scratch), zero_column_offsets(tiled, scratch),
                       head.values, output);
  if (sweep.trustworthy()) return {};
  softmax_attention<float>(head, output, scratch);
  return {true};
}

namespace {

/// Sinkhorn's loop but for the way out of the exp domain.
TiledEvidence sinkhorn_in_exp_domain(const AttentionHead<float>& head, Iterations iterations,
                                     const TiledOptions& options, tensor::MatrixView<float> output,
                                     tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const TiledHead tiled = tile_head(head, false, scratch);
  iterations.slack = SlackColumns::following(head.slack, tiled);
  GibbsSweep sweep(tiled, options, scratch);
  const tensor::VectorView<float> row_offset = safe_row_offsets(tiled, scratch);
  const tensor::VectorView<float> row_dual = scratch.vector<float>(tiled.padded_rows());
  std::ranges::copy(row_offset, row_dual.begin());
  sweep.compute(row_offset, zero_column_offsets(tiled, scratch), RowNormalisation{row_dual});
  const ColumnCertificate certificate =
      options.storage == GibbsStorage::recompute
          ? finish_recomputing(sweep, tiled, iterations, row_dual, head.values, output, scratch)
          : finish_kept(sweep, tiled, iterations, row_offset, head.values, output, scratch);
  return {.log_domain = !sweep.trustworthy(), .certificate = certificate};
}

/// Whether the tiled form beats the stored one; if so, how it works best.
std::optional<TiledOptions> fastest_tiled_loop(const AttentionHead<float>& head,
                                               ProductPrecision precision) {
  const std::int64_t n = head.queries.rows, m = head.keys.rows;
  const bool bfloat16 = precision == ProductPrecision::bfloat16 && bfloat16_kernels() != nullptr;
  if (!bfloat16 && n * m * static_cast<std::int64_t>(sizeof(float)) <= kMostStoredLoopBytes)
    return std::nullopt;
  return TiledOptions{.storage = best_storage(n, m, precision), .precision = precision};
}

/// The stored form of guarded_sinkhorn_attention.
TiledEvidence guarded_stored_loop(const AttentionHead<float>& head, int iterations,
                                  const LoopGuard& guard, tensor::MatrixView<float> output,
                                  tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  SinkhornCut<float> cut{.iterations = iterations, .limit = static_cast<float>(guard.limit)};
  TiledEvidence evidence;
  evidence.log_domain = cut_sinkhorn_attention<float>(head, guard.whole, cut, output, scratch);
  evidence.certificate.column_error = cut.error;
  if (!cut.stopped) evidence.certificate.iterations = guard.whole - iterations;
  return evidence;
}

}  // namespace

TiledEvidence tiled_sinkhorn_attention(const AttentionHead<float>& head, int iterations,
                                       const TiledOptions& options,
                                       tensor::MatrixView<float> output, tensor::Arena& scratch) {
  base::check(iterations >= 0, "tiled_sinkhorn_attention: negative number of iterations");
  if (iterations == 0)
    return tiled_softmax_attention(head, options.threads, output, scratch, options.precision);
  if (without_keys(head, output)) return {};
  const TiledEvidence evidence =
      sinkhorn_in_exp_domain(head, {.plain = iterations - 1}, options, output, scratch);
  if (evidence.log_domain) {
    const tensor::ArenaScope scope(scratch);
    sinkhorn_attention<float>(head, iterations, output, scratch);
  }
  return evidence;
}

TiledEvidence fastest_sinkhorn_attention(const AttentionHead<float>& head, int iterations,
                                         tensor::MatrixView<float> output, tensor::Arena& scratch,
                                         ProductPrecision precision) {
  if (const auto tiled = fastest_tiled_loop(head, precision))
    return tiled_sinkhorn_attention(head, iterations, *tiled, output, scratch);
  const tensor::ArenaScope scope(scratch);
  return {sinkhorn_attention<float>(head, iterations, output, scratch).log_domain};
}

TiledEvidence guarded_sinkhorn_attention(const AttentionHead<float>& head, int iterations,
                                         const LoopGuard& guard, tensor::MatrixView<float> output,
                                         tensor::Arena& scratch, ProductPrecision precision) {
  base::check(iterations >= 1 && iterations <= guard.whole,
              "guarded_sinkhorn_attention: not between 1 and all iterations");
  if (without_keys(head, output)) return {.certificate = {.column_error = 0}};
  const auto tiled = fastest_tiled_loop(head, precision);
  if (!tiled) return guarded_stored_loop(head, iterations, guard, output, scratch);
  const TiledEvidence evidence = sinkhorn_in_exp_domain(
      head, {.plain = iterations - 1, .loop_guard = &guard}, *tiled, output, scratch);
  if (!evidence.log_domain) return evidence;
  TiledEvidence again = guarded_stored_loop(head, iterations, guard, output, scratch);
  again.log_domain = true;
  return again;
}

namespace {

/// What both forms of the compiled operator share: everything but the way out of the exp domain.
TiledEvidence compiled_in_exp_domain(const DualMap<float>& map, const AttentionHead<float>& head,
                                     Iterations iterations, const TiledOptions& options,
                                     tensor::MatrixView<float> output, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const TiledHead tiled = tile_head(head, true, scratch);
  DualRecursion recursion(map, head, tiled, scratch);
  iterations.recursion = &recursion;
  iterations.corrections = map.features.corrections;
  iterations.slack = SlackColumns::closing(head, tiled, scratch);
  TiledEvidence evidence;
  // One pass does not do for slack: the slack row is updated from all columns at once.
  if (recursion.starts_known() && iterations.corrections == 0 && iterations.plain == 0 &&
      !iterations.guard && !iterations.slack.exists()) {
    double& error = evidence.certificate.column_error;
    if (apply_closed_row_dual(tiled, recursion.row_dual(), head.values, options, output, scratch,
                              iterations.bound ? &error : nullptr))
      return evidence;
    evidence.repeated = true;
  }
  GibbsSweep sweep(tiled, options, scratch);
  const tensor::VectorView<float> row_offset = safe_row_offsets(tiled, scratch);
  const auto start = [&](std::int64_t first, std::int64_t count, const float* row_sums,
                         float* log_weights) {
    recursion.start(first, count, row_offset, row_sums, log_weights);
  };
  sweep.compute(row_offset, zero_column_offsets(tiled, scratch), start, recursion.second_factors());
  evidence.certificate =
      options.storage == GibbsStorage::recompute
          ? finish_recomputing(sweep, tiled, iterations, recursion.row_dual(), head.values, output,
                               scratch)
          : finish_kept(sweep, tiled, iterations, row_offset, head.values, output, scratch);
  evidence.log_domain = !sweep.trustworthy();
  return evidence;
}

}  // namespace

TiledEvidence tiled_compiled_attention(const DualMap<float>& map, const AttentionHead<float>& head,
                                       int extra_iterations, const TiledOptions& options,
                                       tensor::MatrixView<float> output, tensor::Arena& scratch) {
  if (without_keys(head, output)) return {};
  const TiledEvidence evidence =
      compiled_in_exp_domain(map, head, {.plain = extra_iterations}, options, output, scratch);
  if (evidence.log_domain) compiled_attention<float>(map, head, extra_iterations, output, scratch);
  return evidence;
}

TiledEvidence bounded_tiled_compiled_attention(const DualMap<float>& map,
                                               const AttentionHead<float>& head,
                                               const TiledOptions& options,
                                               tensor::MatrixView<float> output,
                                               tensor::Arena& scratch) {
  if (without_keys(head, output)) return {.certificate = {.column_error = 0}};
  TiledEvidence evidence =
      compiled_in_exp_domain(map, head, {.bound = true}, options, output, scratch);
  if (evidence.log_domain)
    evidence.certificate.column_error =
        bounded_compiled_attention<float>(map, head, output, scratch);
  return evidence;
}

TiledEvidence guarded_tiled_compiled_attention(
    const DualMap<float>& map, const AttentionHead<float>& head, const ColumnGuard& guard,
    const TiledOptions& options, tensor::MatrixView<float> output, tensor::Arena& scratch) {
  base::check(head.slack == 0, "guarded_tiled_compiled_attention: slack has no certificate");
  if (without_keys(head, output)) return {.certificate = {.column_error = 0}};
  TiledEvidence evidence =
      compiled_in_exp_domain(map, head, {.guard = &guard}, options, output, scratch);
  if (evidence.log_domain)
    evidence.certificate = guarded_compiled_attention<float>(map, head, guard, output, scratch);
  return evidence;
}

TiledEvidence tiled_key_bias_attention(const DualMap<float>& map, const AttentionHead<float>& head,
                                       int extra_iterations, const TiledOptions& options,
                                       tensor::MatrixView<float> output, tensor::Arena& scratch) {
  base::check(head.slack == 0, "tiled_key_bias_attention: a head with slack");
  if (without_keys(head, output)) return {};
  const tensor::ArenaScope scope(scratch);
  const TiledHead tiled = tile_head(head, true, scratch);
  TiledOptions recomputing = options;
  recomputing.storage = GibbsStorage::recompute;
  GibbsSweep sweep(tiled, recomputing, scratch);
  const tensor::VectorView<float> row_dual = safe_row_offsets(tiled, scratch),
                                  bias = key_bias_offsets(map, head, tiled, scratch);
  for (int k = 0; k < extra_iterations; ++k) {
    sweep.compute(row_dual, bias, RowNormalisation{row_dual});
    update_column_dual(sweep, tiled.m, {}, bias, scratch);
  }
  sweep.apply_computed(row_dual, bias, head.values, output);
  if (sweep.trustworthy()) return {};
  key_bias_attention<float>(map, head, extra_iterations, output, scratch);
  return {true};
}

}  // namespace asap::attention
