#include "attention/stored/row_sums.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/stored/row_sums.cpp"
#include <hwy/foreach_target.h>

#include "attention/stored/row_sums_kernel_set.h"
#include "attention/stored/row_sweeps-inl.h"
#include "attention/stored/scaling_kernels.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

using namespace rows;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using Extent = RowSumsKernelSet::Extent;
using Weighted = RowSumsKernelSet::Weighted;

/// K = exp(S + r + c) for one row in place, and its products with both factors, not yet summed over
/// the lanes.
HWY_INLINE void exponentiate_row(float* row, std::int64_t stride, float row_shift,
                                 const float* column_shift, const Weighted& first,
                                 const Weighted& second, V& first_total, V& second_total) {
  const D d;
  const V shift = hn::Set(d, row_shift);
  first_total = second_total = hn::Zero(d);
  for (std::int64_t j = 0; j < stride; j += lanes<float>()) {
    const V exponent = hn::Add(hn::Add(hn::Load(d, row + j), shift), hn::Load(d, column_shift + j));
    const V k = exp_fast(d, exponent);
    hn::Store(k, d, row + j);
    first_total = hn::MulAdd(k, hn::Load(d, first.factors + j), first_total);
    second_total = hn::MulAdd(k, hn::Load(d, second.factors + j), second_total);
  }
}

void exponentiate(Extent e, float* scores, const float* row_shift, const float* column_shift,
                  Weighted first, Weighted second) {
  const D d;
  std::int64_t i = 0;
  for (; i + lanes<float>() <= e.rows; i += lanes<float>()) {
    V first_totals[lanes<float>()], second_totals[lanes<float>()];
    for (int r = 0; r < lanes<float>(); ++r)
      exponentiate_row(scores + (i + r) * e.stride, e.stride, row_shift[i + r], column_shift, first,
                       second, first_totals[r], second_totals[r]);
    hn::StoreU(sums_of_rows(d, first_totals), d, first.sums + i);
    hn::StoreU(sums_of_rows(d, second_totals), d, second.sums + i);
  }
  for (; i < e.rows; ++i) {
    V first_total, second_total;
    exponentiate_row(scores + i * e.stride, e.stride, row_shift[i], column_shift, first, second,
                     first_total, second_total);
    first.sums[i] = hn::GetLane(hn::SumOfLanes(d, first_total));
    second.sums[i] = hn::GetLane(hn::SumOfLanes(d, second_total));
  }
}

/// The part of row_sums() that can be done in blocks of Rows rows, from row `first` on. Returns the
/// first row that is left.
template <int Rows>
HWY_INLINE std::int64_t sum_blocks(Extent e, std::int64_t first, const float* gibbs, const float* v,
                                   float* sums) {
  for (; first + Rows <= e.rows; first += Rows)
    update_rows<Rows>(gibbs + first * e.stride, v, e.stride, first, sums,
                      [](auto, std::int64_t, auto total) HWY_ATTR { return total; });
  return first;
}

void row_sums(Extent e, const float* gibbs, const float* v, float* sums) {
  const std::int64_t whole = sum_blocks<lanes<float>()>(e, 0, gibbs, v, sums);
  sum_blocks<1>(e, sum_blocks<kFewRows>(e, whole, gibbs, v, sums), gibbs, v, sums);
}

constexpr RowSumsKernelSet kKernelSet = {.exponentiate = &exponentiate, .row_sums = &row_sums};

const RowSumsKernelSet* kernel_set() { return &kKernelSet; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::attention {
namespace {

ASAP_DEFINE_KERNELS(RowSumsKernelSet)

template <class M>
RowSumsKernelSet::Extent extent(const M& m) {
  base::check(m.stride == padded_columns<float>(m.cols), "row sums: rows are not padded");
  return {m.rows, m.stride};
}

}  // namespace

void exponentiate_rows(tensor::MatrixView<float> scores, tensor::VectorView<const float> row_shift,
                       tensor::VectorView<const float> column_shift, const WeightedSums& first,
                       const WeightedSums& second) {
  kernels().exponentiate(extent(scores), scores.data, row_shift.data(), column_shift.data(),
                         {first.factors.data(), first.sums.data()},
                         {second.factors.data(), second.sums.data()});
}

void row_sums(tensor::MatrixView<const float> gibbs, tensor::VectorView<const float> v,
              tensor::VectorView<float> sums) {
  kernels().row_sums(extent(gibbs), gibbs.data, v.data(), sums.data());
}

}  // namespace asap::attention
#endif  // HWY_ONCE
