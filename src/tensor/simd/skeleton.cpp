// The template of a SIMD file. Copy it with its two headers, rename, and follow the steps; each
// says when it may be left out. (The model is Highway's own examples/skeleton.cc.)
//
//   skeleton.h             what callers include: formula, source and shapes of every function
//   skeleton_kernel_set.h  the struct of function pointers that connects steps 6 and 7
//   skeleton.cpp           this file

// Step 1: the public header, and headers without vector code. Highway reads this file once per
// instruction set, so everything up to step 3 must be protected against being read again, as
// headers are. Leave out nothing but headers that the file does not need.
#include "tensor/simd/skeleton.h"

#include "base/error.h"

// Step 2: the path of this file from src, by which foreach_target.h includes it once for every
// instruction set but the last, which the compiler reads here. Never leave it out: with a wrong
// path another file is compiled under these names.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/simd/skeleton.cpp"
#include <hwy/foreach_target.h>

// Step 3: the kernel set, the dispatch, and helpers named -inl.h, which must follow
// foreach_target.h. Leave out the helpers that the kernels do not use: simd-inl.h loops and
// reduces, exp-inl.h exponentiates, partial-inl.h loads and stores parts of a vector,
// transpose-inl.h turns squares. A file without any includes <hwy/highway.h> here.
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"
#include "tensor/simd/skeleton_kernel_set.h"

// Step 4: what is compiled once per instruction set. HWY_BEFORE_NAMESPACE allows the compiler that
// instruction set up to HWY_AFTER_NAMESPACE, and HWY_NAMESPACE keeps the copies apart. Never leave
// them out. Outside asap::tensor add `using namespace tensor::HWY_NAMESPACE;` after HWY_NAMESPACE.
HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

// Step 5: the kernels, on pointers and counts. `hn` is Highway's namespace of this instruction set,
// `d` a tag that stands for a vector type. Lambdas need HWY_ATTR, or they are compiled for the
// baseline. Leave out the template if only one type is needed.

/// A map. for_each_vector calls the lambda with a tag of full vectors and, for the tail, with a tag
/// of one lane, so count may be anything, and nothing beyond it is touched. Capture by value: a
/// store through `out` could change what a reference points to.
template <class T>
void interpolate(const T* a, const T* b, T weight, T* out, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto from = hn::LoadU(d, a + i);
    const auto step = hn::Sub(hn::LoadU(d, b + i), from);
    hn::StoreU(hn::MulAdd(hn::Set(d, weight), step, from), d, out + i);
  });
}

/// A reduction. sum_vectors keeps independent sums and adds their lanes at the end, in an order
/// that the count and the width of a vector fix.
template <class T>
T l1_distance(const T* a, const T* b, std::int64_t count) {
  return sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    return hn::Abs(hn::Sub(hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
  });
}

// Step 6: the kernel set of this instruction set. Name the members: a set with two pointers swapped
// compiles. A file for one type has no template here, and a single function `kernel_set`.
template <class T>
constexpr SkeletonKernelSet<T> kKernelSet = {
    .interpolate = &interpolate<T>,
    .l1_distance = &l1_distance<T>,
};

const SkeletonKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const SkeletonKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

// Step 7: what is compiled once, for the baseline: the choice of the kernel set and the public
// functions, which check shapes and hand pointers on. Never leave out HWY_ONCE. A file for one type
// uses ASAP_DEFINE_KERNELS and calls `kernels().interpolate`.
#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(SkeletonKernelSet)

}  // namespace

template <class T>
void skeleton_interpolate(VectorView<const T> a, VectorView<const T> b, T weight,
                          VectorView<T> out) {
  base::check(a.size() == b.size() && a.size() == out.size(),
              "skeleton_interpolate: lengths differ");
  kernels<T>().interpolate(a.data(), b.data(), weight, out.data(), std::ssize(out));
}

template <class T>
T skeleton_l1_distance(VectorView<const T> a, VectorView<const T> b) {
  base::check(a.size() == b.size(), "skeleton_l1_distance: lengths differ");
  return kernels<T>().l1_distance(a.data(), b.data(), std::ssize(a));
}

// Step 8: the instances for float and double. Leave it out if the functions are not templates.
#define ASAP_INSTANTIATE(T)                                                          \
  template void skeleton_interpolate<T>(VectorView<const T>, VectorView<const T>, T, \
                                        VectorView<T>);                              \
  template T skeleton_l1_distance<T>(VectorView<const T>, VectorView<const T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
#endif  // HWY_ONCE
