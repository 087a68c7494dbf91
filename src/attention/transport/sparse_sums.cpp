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

template <class T>
using Slices = typename SparseSumsKernelSet<T>::Slices;

/// Writes the sums of `count` rows of a slice to their places.
template <class T>
HWY_INLINE void scatter_rows(const std::int32_t* order, const T* sums, std::int64_t count, T* out) {
  for (std::int64_t lane = 0; lane < count; ++lane)
    if (order[lane] >= 0) out[order[lane]] = sums[lane];
}

/// Columns are as wide as floats, whose gather they index.
void row_sums(const Slices<float>& matrix, const float* x, float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  HWY_ALIGN float sums[kSliceRows];
  for (std::int64_t s = 0; s < matrix.slices; ++s)
    for (std::int64_t lane = 0; lane < kSliceRows; lane += lanes) {
      const std::int64_t place = s * kSliceRows + lane;
      const std::int32_t* columns = matrix.columns + matrix.starts[s] + lane;
      const float* entries = matrix.entries + matrix.starts[s] + lane;
      const std::int32_t longest = matrix.lengths[place],
                         shortest = matrix.lengths[place + lanes - 1];
      auto sum = hn::Zero(d);
      const auto next = [&](const auto& keep) HWY_ATTR {
        const auto gathered = keep(hn::GatherIndex(d, x, hn::LoadU(di, columns)));
        sum = hn::MulAdd(hn::LoadU(d, entries), gathered, sum);
        columns += kSliceRows;
        entries += kSliceRows;
      };
      std::int32_t k = 0;
      for (; k < shortest; ++k) next([](auto gathered) HWY_ATTR { return gathered; });
      const auto lengths = hn::LoadU(di, matrix.lengths + place);
      // The lanes of rows that have ended gather x_0, which need not be finite.
      for (; k < longest; ++k)
        next([&](auto gathered) HWY_ATTR {
          return hn::IfThenElseZero(hn::RebindMask(d, hn::Gt(lengths, hn::Set(di, k))), gathered);
        });
      hn::StoreU(sum, d, sums);
      scatter_rows(matrix.order + place, sums, lanes, out);
    }
}

/// Doubles are for checks.
void row_sums(const Slices<double>& matrix, const double* x, double* out) {
  for (std::int64_t s = 0; s < matrix.slices; ++s) {
    const std::int64_t place = s * kSliceRows;
    double sums[kSliceRows] = {};
    for (std::int64_t lane = 0; lane < kSliceRows; ++lane)
      for (std::int32_t k = 0; k < matrix.lengths[place + lane]; ++k) {
        const std::int64_t at = matrix.starts[s] + k * kSliceRows + lane;
        sums[lane] += matrix.entries[at] * x[matrix.columns[at]];
      }
    scatter_rows(matrix.order + place, sums, kSliceRows, out);
  }
}

template <class T>
void scale_to_masses(const T* masses, const T* sums, T* out, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t k = 0; k < count; k += lanes) {
    const std::int64_t part = HWY_MIN(lanes, count - k);
    const auto mass = load_part(d, part, masses + k);
    const auto scaling = hn::Div(mass, load_part(d, part, sums + k));
    store_part(d, part, hn::IfThenElseZero(hn::Gt(mass, hn::Zero(d)), scaling), out + k);
  }
}

template <class T>
T total_mass_error(const T* masses, const T* sums, const T* v, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto total = hn::Zero(d);
  for (std::int64_t k = 0; k < count; k += lanes) {
    const std::int64_t part = HWY_MIN(lanes, count - k);
    const auto mass = load_part(d, part, masses + k);
    const auto share =
        hn::Div(hn::Mul(load_part(d, part, sums + k), load_part(d, part, v + k)), mass);
    const auto error = hn::Abs(hn::Sub(share, hn::Set(d, T(1))));
    total = hn::Add(total, hn::IfThenElseZero(hn::Gt(mass, hn::Zero(d)), error));
  }
  return hn::GetLane(hn::SumOfLanes(d, total));
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
    .scale_to_masses = &scale_to_masses<T>,
    .total_mass_error = &total_mass_error<T>,
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
void sparse_row_sums(const SlicedRows<T>& matrix, tensor::VectorView<const T> x,
                     tensor::VectorView<T> out) {
  base::check(std::ssize(out) == matrix.rows, "sparse_row_sums: shapes do not fit");
  kernels<T>().row_sums({matrix.slices(), matrix.order.data(), matrix.lengths.data(),
                         matrix.starts.data(), matrix.columns.data(), matrix.entries.data()},
                        x.data(), out.data());
}

template <class T>
void scale_to_masses(tensor::VectorView<const T> masses, tensor::VectorView<const T> sums,
                     tensor::VectorView<T> out) {
  base::check(masses.size() == out.size() && sums.size() == out.size(),
              "scale_to_masses: shapes do not fit");
  kernels<T>().scale_to_masses(masses.data(), sums.data(), out.data(), std::ssize(out));
}

template <class T>
T total_mass_error(tensor::VectorView<const T> masses, tensor::VectorView<const T> sums,
                   tensor::VectorView<const T> v) {
  base::check(masses.size() == v.size() && sums.size() == v.size(),
              "total_mass_error: shapes do not fit");
  return kernels<T>().total_mass_error(masses.data(), sums.data(), v.data(), std::ssize(v));
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
  template void sparse_row_sums<T>(const SlicedRows<T>&, tensor::VectorView<const T>,            \
                                   tensor::VectorView<T>);                                       \
  template void scale_to_masses<T>(tensor::VectorView<const T>, tensor::VectorView<const T>,     \
                                   tensor::VectorView<T>);                                       \
  template T total_mass_error<T>(tensor::VectorView<const T>, tensor::VectorView<const T>,       \
                                 tensor::VectorView<const T>);                                   \
  template std::int64_t keep_larger<T>(tensor::VectorView<const T>, tensor::VectorView<const T>, \
                                       T, T, tensor::VectorView<std::int32_t>,                   \
                                       tensor::VectorView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
#endif  // HWY_ONCE
