// Sweeps over padded rows of a stored Gibbs kernel, for kernels that Highway compiles once per
// instruction set (see simd-inl.h).
#if defined(ASAP_ATTENTION_ROW_SWEEPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ASAP_ATTENTION_ROW_SWEEPS_INL_H_
#undef ASAP_ATTENTION_ROW_SWEEPS_INL_H_
#else
#define ASAP_ATTENTION_ROW_SWEEPS_INL_H_
#endif

#include "tensor/simd/simd-inl.h"
#include "tensor/simd/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace rows {

template <class T>
using Vector = hn::Vec<hn::ScalableTag<T>>;

template <class T>
constexpr int lanes() {
  return static_cast<int>(hn::MaxLanes(hn::ScalableTag<T>()));
}

// A block of as many rows as a vector has lanes is reduced without a horizontal sum per row. Longer
// rows are taken a few at a time, so that the second pass over the block still finds it in the
// first cache.
constexpr std::int64_t kBlockBytes = 24 << 10;
constexpr int kFewRows = 4;

template <class T>
bool rows_are_short(std::int64_t stride) {
  return stride * lanes<T>() * static_cast<std::int64_t>(sizeof(T)) <= kBlockBytes;
}

/// Rows consecutive rows behind few pointers: one per four rows, so that the others are reached by
/// an addressing mode and the compiler does not run out of registers for them.
template <int Rows, class T>
struct RowPointers {
  static constexpr int kGroups = (Rows + 3) / 4;
  const T* group[kGroups];
  std::int64_t stride;

  HWY_INLINE RowPointers(const T* rows, std::int64_t row_stride) : stride(row_stride) {
    for (int g = 0; g < kGroups; ++g) group[g] = rows + 4 * row_stride * g;
  }
  HWY_INLINE Vector<T> load(int r) const {
    return hn::Load(hn::ScalableTag<T>(), group[r / 4] + r % 4 * stride);
  }
  HWY_INLINE void advance() {
    for (int g = 0; g < kGroups; ++g) group[g] += lanes<T>();
  }
};

/// column_sum += factors * rows, Rows at once: one load and store of the column sums serves all of
/// them.
template <int Rows, class T>
HWY_INLINE void add_scaled_rows(const T* factor, const T* rows, T* column_sum,
                                std::int64_t stride) {
  const hn::ScalableTag<T> d;
  Vector<T> f[Rows];
  for (int r = 0; r < Rows; ++r) f[r] = hn::Set(d, factor[r]);
  RowPointers<Rows, T> row(rows, stride);
  for (std::int64_t j = 0; j < stride; j += lanes<T>(), row.advance()) {
    auto even = hn::Load(d, column_sum + j);
    auto odd = hn::Zero(d);
    for (int r = 0; r + 1 < Rows; r += 2) {
      even = hn::MulAdd(f[r], row.load(r), even);
      odd = hn::MulAdd(f[r + 1], row.load(r + 1), odd);
    }
    if constexpr (Rows % 2 == 1) even = hn::MulAdd(f[Rows - 1], row.load(Rows - 1), even);
    hn::Store(hn::Add(even, odd), d, column_sum + j);
  }
}

/// y_r = update(first + r, <row r, x>) for Rows rows: the loads of x are shared, the sums
/// independent chains.
template <int Rows, class T, class Update>
HWY_INLINE void update_rows(const T* rows, const T* x, std::int64_t stride, std::int64_t first,
                            T* y, const Update& update) {
  const hn::ScalableTag<T> d;
  Vector<T> sum[Rows];
  for (int r = 0; r < Rows; ++r) sum[r] = hn::Zero(d);
  RowPointers<Rows, T> row(rows, stride);
  for (std::int64_t j = 0; j < stride; j += lanes<T>(), row.advance()) {
    const auto v = hn::Load(d, x + j);
    for (int r = 0; r < Rows; ++r) sum[r] = hn::MulAdd(row.load(r), v, sum[r]);
  }
  if constexpr (Rows == lanes<T>()) {
    hn::StoreU(update(d, first, sums_of_rows(d, sum)), d, y + first);
  } else {
    const hn::CappedTag<T, 1> one;
    for (int r = 0; r < Rows; ++r) {
      const auto total = hn::Set(one, hn::GetLane(hn::SumOfLanes(d, sum[r])));
      y[first + r] = hn::GetLane(update(one, first + r, total));
    }
  }
}

template <class T>
void fill(T* out, std::int64_t begin, std::int64_t end, T value) {
  for (std::int64_t j = begin; j < end; ++j) out[j] = value;
}

/// The part of sweep() that can be done in blocks of Rows rows, from row `first` on. Returns the
/// first row that is left.
template <int Rows, class T, class Update>
HWY_INLINE std::int64_t sweep_blocks(std::int64_t row_count, std::int64_t stride,
                                     std::int64_t first, const T* gibbs, const T* x, T* y,
                                     T* column_sum, const Update update) {
  for (; first + Rows <= row_count; first += Rows) {
    const T* rows = gibbs + first * stride;
    update_rows<Rows>(rows, x, stride, first, y, update);
    add_scaled_rows<Rows>(y + first, rows, column_sum, stride);
  }
  return first;
}

/// y_i = update(tag, i, K_i . x) and column_sum = Kᵀ y in one pass over K: [row_count, stride].
template <class T, class Update>
HWY_INLINE void sweep(std::int64_t row_count, std::int64_t stride, const T* gibbs, const T* x, T* y,
                      T* column_sum, const Update update) {
  fill(column_sum, 0, stride, T(0));
  std::int64_t i = 0;
  if (rows_are_short<T>(stride))
    i = sweep_blocks<lanes<T>()>(row_count, stride, i, gibbs, x, y, column_sum, update);
  i = sweep_blocks<kFewRows>(row_count, stride, i, gibbs, x, y, column_sum, update);
  sweep_blocks<1>(row_count, stride, i, gibbs, x, y, column_sum, update);
}

}  // namespace rows
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#endif
