#include "attention/stored/relaxed_sweep.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/stored/relaxed_sweep.cpp"
#include <hwy/foreach_target.h>

#include "attention/stored/relaxed_sweep_kernel_set.h"
#include "attention/stored/row_sweeps-inl.h"
#include "attention/stored/scaling_kernels.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

void relaxed_sweep(RelaxedSweepKernelSet::Extent e, const float* gibbs, const float* v,
                   const RelaxedSweepKernelSet::Rows& rows, float* u, float* column_sum) {
  const std::int64_t last = rows.count - 1;
  rows::sweep<float>(
      e.rows, e.stride, gibbs, v, u, column_sum, [&](auto d, std::int64_t i, auto total) HWY_ATTR {
        const auto updated = hn::Neg(hn::Log2(d, total));
        const auto difference = hn::Sub(updated, hn::LoadU(d, rows.dual + i));
        hn::StoreU(difference, d, rows.differences + last * rows.difference_stride + i);
        auto dual = hn::MulAdd(hn::Set(d, rows.weights[last]), difference, updated);
        for (std::int64_t s = 0; s < last; ++s)
          dual = hn::MulAdd(hn::Set(d, rows.weights[s]),
                            hn::LoadU(d, rows.differences + s * rows.difference_stride + i), dual);
        hn::StoreU(dual, d, rows.dual + i);
        return exp2_fast(d, dual);
      });
}

constexpr RelaxedSweepKernelSet kKernelSet = {.relaxed_sweep = &relaxed_sweep};

const RelaxedSweepKernelSet* kernel_set() { return &kKernelSet; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::attention {
namespace {

ASAP_DEFINE_KERNELS(RelaxedSweepKernelSet)

}  // namespace

void relaxed_sweep(tensor::MatrixView<const float> gibbs, tensor::VectorView<const float> v,
                   tensor::VectorView<const float> weights, const RelaxedDual& rows,
                   tensor::VectorView<float> u, tensor::VectorView<float> column_sum) {
  base::check(gibbs.stride == padded_columns<float>(gibbs.cols), "relaxed_sweep: rows not padded");
  base::check(!weights.empty() && std::ssize(weights) <= rows.differences.rows,
              "relaxed_sweep: no weights, or more than differences");
  kernels().relaxed_sweep({gibbs.rows, gibbs.stride}, gibbs.data, v.data(),
                          {rows.dual.data(), rows.differences.data, rows.differences.stride,
                           weights.data(), std::ssize(weights)},
                          u.data(), column_sum.data());
}

}  // namespace asap::attention
#endif  // HWY_ONCE
