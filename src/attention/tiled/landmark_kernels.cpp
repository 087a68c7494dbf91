#include "attention/tiled/landmark_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "attention/compiled/landmark_dual.h"
#include "attention/tiled/tile_operands.h"
#include "tensor/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/tiled/landmark_kernels.cpp"
#include <hwy/foreach_target.h>

#include "attention/tiled/landmark_kernel_set.h"
#include "attention/tiled/tile_panels-inl.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

using namespace tiles;

void nearest_rows(tensor::MatrixView<const float> closeness, const float* offsets,
                  std::int64_t count, std::int32_t* nearest) {
  const D d;
  const hn::RebindToSigned<D> di;
  for (std::int64_t j = 0; j < count; j += kLanes) {
    V best = hn::Sub(hn::LoadU(d, &closeness(0, j)), hn::Set(d, offsets[0]));
    auto index = hn::Zero(di);
    for (std::int64_t p = 1; p < closeness.rows; ++p) {
      const V value = hn::Sub(hn::LoadU(d, &closeness(p, j)), hn::Set(d, offsets[p]));
      const auto nearer = hn::Gt(value, best);
      best = hn::IfThenElse(nearer, value, best);
      index = hn::IfThenElse(hn::RebindMask(di, nearer), hn::Set(di, static_cast<int>(p)), index);
    }
    hn::StoreU(index, di, nearest + j);
  }
}

/// sums: [clusters, D] of row cluster_j += token j.
void add_to_clusters(tensor::MatrixView<const float> tokens, const std::int32_t* cluster,
                     tensor::MatrixView<float> sums) {
  for (std::int64_t j = 0; j < tokens.rows; ++j) {
    const float* token = tokens.row(j).data();
    float* sum = sums.row(cluster[j]).data();
    for_each_vector<float>(tokens.cols, [=](auto d, std::int64_t e) HWY_ATTR {
      hn::StoreU(hn::Add(hn::LoadU(d, sum + e), hn::LoadU(d, token + e)), d, sum + e);
    });
  }
}

/// Scores to K = 2^(scores - largest of the query), `shifts` to the largest.
void exponentiate(const LandmarkLoop& loop, float* shifts) {
  const D d;
  const std::int64_t clusters = loop.scores.rows;
  for (std::int64_t i = 0; i < loop.n; i += kLanes) {
    V largest = hn::LoadU(d, &loop.scores(0, i));
    for (std::int64_t p = 1; p < clusters; ++p)
      largest = hn::Max(largest, hn::LoadU(d, &loop.scores(p, i)));
    hn::StoreU(largest, d, shifts + i);
    for (std::int64_t p = 0; p < clusters; ++p) {
      float* score = &loop.scores(p, i);
      hn::StoreU(exp2_fast(d, hn::Sub(hn::LoadU(d, score), largest)), d, score);
    }
  }
}

/// row_scalings_i = 1 / sum_p v_p K_pi, 0 beyond n. Returns the smallest of the sums.
float update_rows(const LandmarkLoop& loop) {
  const D d;
  V least = hn::Set(d, std::numeric_limits<float>::infinity());
  float* u = loop.row_scalings.data();
  for (std::int64_t i = 0; i < loop.n; i += kLanes) {
    V even = hn::Zero(d), odd = hn::Zero(d);
    std::int64_t p = 0;
    for (; p + 2 <= loop.scores.rows; p += 2) {
      even = hn::MulAdd(hn::Set(d, loop.factors[p]), hn::LoadU(d, &loop.scores(p, i)), even);
      odd = hn::MulAdd(hn::Set(d, loop.factors[p + 1]), hn::LoadU(d, &loop.scores(p + 1, i)), odd);
    }
    if (p < loop.scores.rows)
      even = hn::MulAdd(hn::Set(d, loop.factors[p]), hn::LoadU(d, &loop.scores(p, i)), even);
    const V sum = hn::Add(even, odd);
    least = hn::Min(least, sum);
    hn::StoreU(hn::Div(hn::Set(d, 1.0f), sum), d, u + i);
  }
  std::fill(u + loop.n, u + round_up(loop.n, kTilePadding), 0.0f);
  return hn::GetLane(hn::MinOfLanes(d, least));
}

/// sum_i row_scalings_i K_pi of one cluster.
float column_sum(const LandmarkLoop& loop, std::int64_t p) {
  const float* u = loop.row_scalings.data();
  const float* k = &loop.scores(p, 0);
  return sum_vectors<float>(round_up(loop.n, kTilePadding), [=](auto d, std::int64_t i) HWY_ATTR {
    return hn::Mul(hn::LoadU(d, u + i), hn::LoadU(d, k + i));
  });
}

// Entries of K below 2^-126 are lost. Beside a sum of this much times the largest factor they are
// at most 2^-26 of it, each.
constexpr float kLeastShare = 0x1p-100f;

/// What a half of an iteration leaves behind.
struct ColumnUpdate {
  float largest_factor = 0;
  bool in_range = true;
};

/// factors_p = sizes_p / sum_i row_scalings_i K_pi
ColumnUpdate update_columns(const LandmarkLoop& loop, float largest_scaling) {
  ColumnUpdate update;
  for (std::int64_t p = 0; p < loop.scores.rows; ++p) {
    const float sum = column_sum(loop, p);
    update.in_range = update.in_range && sum >= kLeastShare * largest_scaling && std::isfinite(sum);
    loop.factors[p] = loop.sizes[p] / sum;
    update.largest_factor = std::max(update.largest_factor, loop.factors[p]);
  }
  return update;
}

/// row_scalings = 2^(row_start + shifts), the largest 1, 0 beyond n.
void start_rows(const LandmarkLoop& loop, const float* shifts) {
  const D d;
  float* u = loop.row_scalings.data();
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < loop.n; ++i) {
    u[i] = loop.row_start[i] + shifts[i];
    largest = std::max(largest, u[i]);
  }
  std::fill(u + loop.n, u + round_up(loop.n, kTilePadding),
            -std::numeric_limits<float>::infinity());
  for (std::int64_t i = 0; i < loop.n; i += kLanes)
    hn::StoreU(exp2_fast(d, hn::Sub(hn::LoadU(d, u + i), hn::Set(d, largest))), d, u + i);
  std::fill(u + loop.n, u + round_up(loop.n, kTilePadding), 0.0f);
}

bool landmark_loop(const LandmarkLoop& loop, float* dual) {
  const D d;
  const std::int64_t clusters = loop.scores.rows;
  exponentiate(loop, dual);
  ColumnUpdate columns;
  if (loop.row_start.empty()) {
    for (std::int64_t p = 0; p < clusters; ++p) {
      loop.factors[p] *= loop.sizes[p];
      columns.largest_factor = std::max(columns.largest_factor, loop.factors[p]);
    }
  } else {
    start_rows(loop, dual);
    columns = update_columns(loop, 1);
  }
  bool in_range = columns.in_range;
  for (int t = 0; t < loop.iterations; ++t) {
    const float least_sum = update_rows(loop);
    in_range =
        in_range && least_sum >= kLeastShare * columns.largest_factor && std::isfinite(least_sum);
    if (t + 1 == loop.iterations) break;
    columns = update_columns(loop, 1 / least_sum);
    in_range = in_range && columns.in_range;
  }
  for (std::int64_t i = 0; i < loop.n; i += kLanes) {
    const V shift = hn::LoadU(d, dual + i);
    hn::StoreU(hn::Sub(hn::Log2(d, hn::LoadU(d, loop.row_scalings.data() + i)), shift), d,
               dual + i);
  }
  return in_range;
}

constexpr LandmarkKernelSet kKernelSet = {
    .nearest_rows = &nearest_rows,
    .add_to_clusters = &add_to_clusters,
    .landmark_loop = &landmark_loop,
};

const LandmarkKernelSet* kernel_set() { return &kKernelSet; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::attention {
namespace {

ASAP_DEFINE_KERNELS(LandmarkKernelSet)

/// The clusters of the keys of one example that are not empty.
struct Clusters {
  tensor::MatrixView<float> centres;    // in the coordinates of the tiles: [count, D]
  tensor::VectorView<float> sizes;      // [count]
  tensor::VectorView<float> exponents;  // c . √c q̄, the start of the teacher's loop: [count]
};

/// y_j . p - |p|² / 2, in the units of the prototypes p.
tensor::VectorView<std::int32_t> assign_to_prototypes(const Landmarks<float>& landmarks,
                                                      const TiledHead& tiled,
                                                      tensor::Arena& scratch) {
  const std::int64_t padded = tiled.padded_keys(), count = landmarks.keys.rows;
  const tensor::VectorView<std::int32_t> nearest = scratch.vector<std::int32_t>(padded);
  const tensor::ArenaScope scope(scratch);
  const tensor::MatrixView<float> directions = scratch.matrix<float>(count, tiled.inner);
  const tensor::MatrixView<float> closeness = scratch.matrix<float>(count, padded);
  const tensor::VectorView<float> offsets = scratch.vector<float>(count);
  // The keys of the tiles are in base 2.
  const float unit = 1 / std::sqrt(std::numbers::log2e_v<float>);
  for (std::int64_t p = 0; p < count; ++p) {
    const tensor::VectorView<const float> prototype = landmarks.keys.row(p);
    tensor::scale<float>(unit, prototype, directions.row(p));
    offsets[p] = tensor::dot<float>(prototype, prototype) / 2;
  }
  project_keys(tiled.keys, tiled.m, directions, closeness);
  nearest_rows(closeness, offsets, tiled.m, nearest);
  return nearest;
}

Clusters cluster_tiled_keys(const Landmarks<float>& landmarks, const AttentionHead<float>& head,
                            const TiledHead& tiled, tensor::Arena& scratch) {
  const std::int64_t most = landmarks.keys.rows, width = tiled.inner;
  Clusters all{scratch.matrix<float>(most, width), scratch.vector<float>(most),
               scratch.vector<float>(most)};
  const tensor::VectorView<std::int32_t> nearest =
      assign_to_prototypes(landmarks, tiled, scratch);
  std::fill_n(all.centres.data, most * all.centres.stride, 0.0f);
  std::ranges::fill(all.sizes, 0.0f);
  for (std::int64_t j = 0; j < tiled.m; ++j) all.sizes[nearest[j]] += 1;
  kernels().add_to_clusters(head.keys, nearest.data(), all.centres);
  const float root = std::sqrt(head.scale * std::numbers::log2e_v<float>);
  std::int64_t count = 0;
  for (std::int64_t p = 0; p < most; ++p) {
    if (all.sizes[p] == 0) continue;
    const float factor = root / all.sizes[p];
    const float* sum = all.centres.row(p).data();
    float* centre = all.centres.row(count).data();
    for (std::int64_t e = 0; e < width; ++e) centre[e] = factor * sum[e] - tiled.key_mean[e];
    all.sizes[count] = all.sizes[p];
    all.exponents[count] =
        tensor::dot<float>({centre, static_cast<std::size_t>(width)}, tiled.query_mean);
    ++count;
  }
  const auto size = static_cast<std::size_t>(count);
  return {all.centres.block(0, 0, count, width), all.sizes.first(size), all.exponents.first(size)};
}

}  // namespace

void nearest_rows(tensor::MatrixView<const float> closeness,
                  tensor::VectorView<const float> offsets, std::int64_t count,
                  tensor::VectorView<std::int32_t> nearest) {
  kernels().nearest_rows(closeness, offsets.data(), count, nearest.data());
}

bool landmark_loop(const LandmarkLoop& loop, tensor::VectorView<float> dual) {
  return kernels().landmark_loop(loop, dual.data());
}

void tiled_landmark_dual(const Landmarks<float>& landmarks, const AttentionHead<float>& head,
                         const TiledHead& tiled, tensor::VectorView<float> dual,
                         tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const Clusters clusters = cluster_tiled_keys(landmarks, head, tiled, scratch);
  const std::int64_t padded = round_up(tiled.n, kTilePadding);
  const tensor::MatrixView<float> scores = scratch.matrix<float>(clusters.centres.rows, padded);
  const tensor::VectorView<float> result = scratch.vector<float>(padded);
  project_tokens(tiled.x.block(0, 0, tiled.n, tiled.inner), clusters.centres, scores, scratch);
  const float largest = tensor::maximum<float>(clusters.exponents);
  for (float& exponent : clusters.exponents) exponent = std::exp2(exponent - largest);
  tensor::VectorView<float> row_start;
  if (landmarks.starts_on_rows) {
    row_start = scratch.vector<float>(padded);
    for (std::int64_t i = 0; i < tiled.n; ++i)
      row_start[i] = tensor::dot<float>(tiled.x.row(i), tiled.key_mean);
  }
  const LandmarkLoop loop{.n = tiled.n,
                          .iterations = landmarks.iterations,
                          .scores = scores,
                          .sizes = clusters.sizes,
                          .factors = clusters.exponents,
                          .row_scalings = scratch.vector<float>(padded),
                          .row_start = row_start};
  if (landmark_loop(loop, result)) {
    std::copy_n(result.begin(), tiled.n, dual.begin());
    return;
  }
  const tensor::VectorView<float> live = dual.first(static_cast<std::size_t>(tiled.n));
  landmark_dual(centre_head<float>(head.queries, head.keys, head.scale, scratch), landmarks, live,
                scratch);
  tensor::scale<float>(std::numbers::log2e_v<float>, live, live);
}

}  // namespace asap::attention
#endif  // HWY_ONCE
