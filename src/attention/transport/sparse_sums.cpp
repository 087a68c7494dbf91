#include "attention/transport/sparse_sums.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/transport/sparse_sums.cpp"
#include <hwy/foreach_target.h>

#include "attention/transport/sparse_sums_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

/// The entries from `k` on that fill no vector, in sums that do not wait for each other.
template <class T>
T few_entries(const std::int32_t* columns, const T* entries, const T* x, std::int64_t k,
              std::int64_t end) {
  T sums[4] = {};
  for (; k + 4 <= end; k += 4)
    for (int s = 0; s < 4; ++s) sums[s] += entries[k + s] * x[columns[k + s]];
  for (; k < end; ++k) sums[0] += entries[k] * x[columns[k]];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

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
    out[i] =
        hn::GetLane(hn::SumOfLanes(d, sum)) + few_entries(columns, entries, x, k, starts[i + 1]);
  }
}

/// Doubles are for checks.
void row_sums(const std::int64_t* starts, const std::int32_t* columns, const double* entries,
              const double* x, double* out, std::int64_t rows) {
  for (std::int64_t i = 0; i < rows; ++i)
    out[i] = few_entries(columns, entries, x, starts[i], starts[i + 1]);
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

std::int64_t keep_larger(const float* scores, const float* g, float f, float least,
                         std::int64_t count, std::int32_t* columns, float* exponents) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t kept = 0, j = 0;
  for (; j + lanes <= count; j += lanes) {
    const auto sum = hn::Add(hn::LoadU(d, scores + j), hn::LoadU(d, g + j));
    const auto keep = hn::Gt(sum, hn::Set(d, least));
    if (hn::AllFalse(d, keep)) continue;
    hn::CompressStore(hn::Iota(di, static_cast<std::int32_t>(j)), hn::RebindMask(di, keep), di,
                      columns + kept);
    kept += static_cast<std::int64_t>(
        hn::CompressStore(hn::Add(sum, hn::Set(d, f)), keep, d, exponents + kept));
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
KeptRow<T>::KeptRow(std::int64_t columns_of_row) {
  constexpr std::int64_t kVector = HWY_MAX_BYTES / sizeof(std::int32_t);  // may be written behind
  columns.resize(static_cast<std::size_t>(columns_of_row + kVector));
  exponents.resize(columns.size());
}

template <class T>
void keep_larger(tensor::VectorView<const T> scores, tensor::VectorView<const T> g, T f, T least,
                 KeptRow<T>& kept) {
  base::check(g.size() >= scores.size() && kept.columns.size() > scores.size(),
              "keep_larger: shapes do not fit");
  kept.count = kernels<T>().keep_larger(scores.data(), g.data(), f, least, std::ssize(scores),
                                        kept.columns.data(), kept.exponents.data());
}

#define ASAP_INSTANTIATE(T)                                                                    \
  template void sparse_row_sums<T>(const CompressedRows<T>&, tensor::VectorView<const T>,      \
                                   tensor::VectorView<T>);                                     \
  template KeptRow<T>::KeptRow(std::int64_t);                                                  \
  template void keep_larger<T>(tensor::VectorView<const T>, tensor::VectorView<const T>, T, T, \
                               KeptRow<T>&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
#endif  // HWY_ONCE
