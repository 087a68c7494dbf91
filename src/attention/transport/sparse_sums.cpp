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

template <class T>
constexpr SparseSumsKernelSet<T> kKernelSet = {.row_sums = &row_sums};

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

template void sparse_row_sums<float>(const CompressedRows<float>&, tensor::VectorView<const float>,
                                     tensor::VectorView<float>);
template void sparse_row_sums<double>(const CompressedRows<double>&,
                                      tensor::VectorView<const double>, tensor::VectorView<double>);

}  // namespace asap::attention
#endif  // HWY_ONCE
