#include "tensor/kernels/two_largest.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/two_largest.cpp"
#include <hwy/foreach_target.h>

#include "tensor/kernels/two_largest_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void insert(TwoLargest<T>& best, T value) {
  best.second = std::max(best.second, std::min(best.first, value));
  best.first = std::max(best.first, value);
}

template <class T>
TwoLargest<T> two_largest(const T* x, std::int64_t count) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
  const T lowest = -std::numeric_limits<T>::infinity();
  auto first = hn::Set(d, lowest), second = first;
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const auto value = hn::LoadU(d, x + i);
    second = hn::Max(second, hn::Min(first, value));
    first = hn::Max(first, value);
  }
  HWY_ALIGN T lanes[2 * kLanes];
  hn::Store(first, d, lanes);
  hn::Store(second, d, lanes + kLanes);
  TwoLargest<T> best{lowest, lowest};
  for (const T value : lanes) insert(best, value);
  for (; i < count; ++i) insert(best, x[i]);
  return best;
}

template <class T>
constexpr TwoLargestKernelSet<T> kKernelSet = {
    .two_largest = &two_largest<T>,
};

const TwoLargestKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const TwoLargestKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(TwoLargestKernelSet)

}  // namespace

template <class T>
TwoLargest<T> two_largest(VectorView<const T> x) {
  return kernels<T>().two_largest(x.data(), static_cast<std::int64_t>(x.size()));
}

template TwoLargest<float> two_largest(VectorView<const float>);
template TwoLargest<double> two_largest(VectorView<const double>);

}  // namespace asap::tensor
#endif  // HWY_ONCE
