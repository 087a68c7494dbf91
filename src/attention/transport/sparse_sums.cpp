#include "attention/transport/sparse_sums.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/transport/sparse_sums.cpp"
#include <hwy/foreach_target.h>

#include "attention/transport/sparse_sums_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/partial-inl.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

/// Columns are as wide as floats, whose gather they index.
void row_sums(const std::int64_t* starts, const std::int32_t* columns, const float* entries,
              const float* x, float* out, std::int64_t rows) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < rows; ++i) {
    std::int64_t k = starts[i];
    auto sum = hn::Zero(d);
    for (; k + lanes <= starts[i + 1]; k += lanes)
      sum = hn::MulAdd(hn::LoadU(d, entries + k), hn::GatherIndex(d, x, hn::LoadU(di, columns + k)),
                       sum);
    if (const std::int64_t left = starts[i + 1] - k; left > 0) {
      // The lanes behind the last entry gather x_0, which need not be finite.
      const auto gathered = hn::GatherIndex(d, x, load_first(di, left, columns + k));
      const auto own = hn::FirstN(d, static_cast<std::size_t>(left));
      sum = hn::MulAdd(load_first(d, left, entries + k), hn::IfThenElseZero(own, gathered), sum);
    }
    out[i] = hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

/// Doubles are for checks. Four sums do not wait for each other.
void row_sums(const std::int64_t* starts, const std::int32_t* columns, const double* entries,
              const double* x, double* out, std::int64_t rows) {
  for (std::int64_t i = 0; i < rows; ++i) {
    double sums[4] = {};
    std::int64_t k = starts[i];
    for (; k + 4 <= starts[i + 1]; k += 4)
      for (int s = 0; s < 4; ++s) sums[s] += entries[k + s] * x[columns[k + s]];
    for (; k < starts[i + 1]; ++k) sums[0] += entries[k] * x[columns[k]];
    out[i] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
}

/// From column `j` on; returns how many are kept, `kept` of which are there already.
template <class T>
std::int64_t keep_few(const T* scores, const T* g, T f, T least, std::int64_t j, std::int64_t count,
                      std::int64_t kept, std::int32_t* columns, T* exponents) {
  for (; j < count; ++j) {  // without a branch that nothing could predict
    const T sum = scores[j] + g[j];
    columns[kept] = static_cast<std::int32_t>(j);
    exponents[kept] = sum + f;
    kept += sum > least ? 1 : 0;
  }
  return kept;
}

/// Stores the lanes of `exponents` and `columns` that are kept; returns how many. Whole vectors are
/// stored, because storing only some lanes of them is slow.
template <class V, class VI, class M>
HWY_INLINE std::int64_t keep_lanes(V exponents, VI columns, M keep, std::int32_t* columns_out,
                                   float* exponents_out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  hn::StoreU(hn::Compress(columns, hn::RebindMask(di, keep)), di, columns_out);
  hn::StoreU(hn::Compress(exponents, keep), d, exponents_out);
  return static_cast<std::int64_t>(hn::CountTrue(d, keep));
}

std::int64_t keep_larger(const float* scores, const float* g, float f, float least,
                         std::int64_t count, std::int32_t* columns, float* exponents) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto limit = hn::Set(d, least), row_dual = hn::Set(d, f);
  const auto first_columns = hn::Iota(di, 0);  // slow to make
  std::int64_t kept = 0, j = 0;
  // Blocks of four vectors: often empty where few entries are kept, hardly ever where many are, so
  // that the branch is predicted.
  for (; j + 4 * lanes <= count; j += 4 * lanes) {
    const auto sum = [&](std::int64_t k) {
      const std::int64_t at = j + k * lanes;
      return hn::Add(hn::LoadU(d, scores + at), hn::LoadU(d, g + at));
    };
    const auto sum0 = sum(0), sum1 = sum(1), sum2 = sum(2), sum3 = sum(3);
    const auto keep0 = hn::Gt(sum0, limit), keep1 = hn::Gt(sum1, limit);
    const auto keep2 = hn::Gt(sum2, limit), keep3 = hn::Gt(sum3, limit);
    if (hn::AllFalse(d, hn::Or(hn::Or(keep0, keep1), hn::Or(keep2, keep3)))) continue;
    const auto keep = [&](const auto& values, const auto& mask, std::int64_t k) {
      const auto offset = hn::Set(di, static_cast<std::int32_t>(j + k * lanes));
      kept += keep_lanes(hn::Add(values, row_dual), hn::Add(first_columns, offset), mask,
                         columns + kept, exponents + kept);
    };
    keep(sum0, keep0, 0);
    keep(sum1, keep1, 1);
    keep(sum2, keep2, 2);
    keep(sum3, keep3, 3);
  }
  return keep_few(scores, g, f, least, j, count, kept, columns, exponents);
}

std::int64_t keep_larger(const double* scores, const double* g, double f, double least,
                         std::int64_t count, std::int32_t* columns, double* exponents) {
  return keep_few(scores, g, f, least, 0, count, 0, columns, exponents);
}

template <class T>
constexpr SparseSumsKernelSet<T> kKernelSet = {
    .row_sums = &row_sums,
    .keep_larger = &keep_larger,
};

const SparseSumsKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const SparseSumsKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::attention {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(SparseSumsKernelSet)

}  // namespace

template <class T>
void sparse_row_sums(const CompressedRows<T>& matrix, tensor::VectorView<const T> x,
                     tensor::VectorView<T> out) {
  base::check(std::ssize(out) == matrix.rows(), "sparse_row_sums: shapes do not fit");
  kernels<T>().row_sums(matrix.starts.data(), matrix.columns.data(), matrix.entries.data(),
                        x.data(), out.data(), matrix.rows());
}

template <class T>
std::int64_t keep_larger(tensor::VectorView<const T> scores, tensor::VectorView<const T> g, T f,
                         T least, tensor::VectorView<std::int32_t> columns,
                         tensor::VectorView<T> exponents) {
  static_assert(HWY_MAX_BYTES / sizeof(std::int32_t) <= kKeptSlack);
  const std::size_t room = scores.size() + kKeptSlack;
  base::check(g.size() >= scores.size() && columns.size() >= room && exponents.size() >= room,
              "keep_larger: shapes do not fit");
  return kernels<T>().keep_larger(scores.data(), g.data(), f, least, std::ssize(scores),
                                  columns.data(), exponents.data());
}

#define ASAP_INSTANTIATE(T)                                                                      \
  template void sparse_row_sums<T>(const CompressedRows<T>&, tensor::VectorView<const T>,        \
                                   tensor::VectorView<T>);                                       \
  template std::int64_t keep_larger<T>(tensor::VectorView<const T>, tensor::VectorView<const T>, \
                                       T, T, tensor::VectorView<std::int32_t>,                   \
                                       tensor::VectorView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
#endif  // HWY_ONCE
