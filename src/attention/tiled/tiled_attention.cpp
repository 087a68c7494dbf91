#include "attention/tiled/tiled_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "attention/compiled/compiled_attention.h"
#include "attention/compiled/key_bias.h"
#include "attention/stored/sinkhorn_attention.h"
#include "attention/stored/softmax_attention.h"
#include "attention/tiled/column_pass.h"
#include "attention/tiled/fast_features.h"
#include "attention/tiled/stored_closure.h"
#include "attention/tiled/sweep_iterations.h"
#include "tensor/kernels/elementwise.h"

namespace asap::attention {
namespace {

/// Up to this size a kept Gibbs kernel beats a recomputed one, even from main memory.
constexpr std::int64_t kMostKeptBytes = std::int64_t{64} << 20;

/// Up to this size of the Gibbs kernel, whole rows beat tiles for the compiled operator.
constexpr std::int64_t kMostRowsBytes = std::int64_t{48} << 10;

/// Up to this size the stored form of Sinkhorn, which reads whole rows, beats row blocks.
constexpr std::int64_t kMostStoredLoopBytes = std::int64_t{2} << 20;

bool without_keys(const AttentionHead<float>& head, tensor::MatrixView<float> output) {
  if (head.queries.rows > 0 && head.keys.rows > 0) return false;
  for (std::int64_t i = 0; i < output.rows; ++i) std::ranges::fill(output.row(i), 0.0f);
  return true;
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
  if (bfloat16) return GibbsStorage::bfloat16;
  return n * m * entry <= kMostRowsBytes ? GibbsStorage::rows : GibbsStorage::single;
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
  // The slack row of a loop is not that of a closure (see SlackColumns).
  if (map.features.start && head.slack > 0)
    return compiled_in_exp_domain(GeneralMap<float>(map).map, head, iterations, options, output,
                                  scratch);
  TiledEvidence evidence;
  iterations.corrections = map.features.corrections;
  if (options.storage == GibbsStorage::rows && head.slack == 0 && fits_stored_rows(map.features) &&
      close_stored_rows(map, head, iterations, output, scratch, evidence.certificate))
    return evidence;
  evidence = {};
  // What tiles keep is not the kernel of a loop.
  iterations.start_guard = map.features.start ? iterations.loop_guard : nullptr;
  iterations.loop_guard = nullptr;
  const tensor::ArenaScope scope(scratch);
  const TiledHead tiled = tile_head(head, !map.features.start, scratch);
  DualRecursion recursion(map, head, tiled, scratch);
  iterations.recursion = &recursion;
  iterations.slack = SlackColumns::closing(head, tiled, scratch);
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
                                               tensor::Arena& scratch, const LoopGuard& guard) {
  if (without_keys(head, output)) return {.certificate = {.column_error = 0}};
  TiledEvidence evidence = compiled_in_exp_domain(map, head, {.loop_guard = &guard, .bound = true},
                                                  options, output, scratch);
  if (evidence.log_domain)
    evidence.certificate.column_error =
        bounded_compiled_attention<float>(map, head, output, scratch);
  ColumnCertificate& certificate = evidence.certificate;
  // Written so that NaN is beyond every limit.
  if (guard.whole == 0 || certificate.iterations > 0 || certificate.column_error <= guard.limit)
    return evidence;
  certificate.iterations = guard.whole;
  fastest_sinkhorn_attention(head, guard.whole, output, scratch, options.precision);
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
