#pragma once

#include <type_traits>

#include <hwy/highway.h>

// How kernels reach the processor, the same way in every SIMD file (skeleton.cpp shows one).
//
// Highway compiles the file once per instruction set. Each time the file fills a kernel set, a
// struct of function pointers, and returns its address from kernel_set(), or from
// float_kernel_set() and double_kernel_set() where the set is a template over the type. The macros
// below define kernels(), which picks the set of the best instruction set that this processor has
// at its first call and keeps it.
//
// A call through the set costs a flag test, a load and an indirect call, all of them inline.
// HWY_DYNAMIC_DISPATCH on each function would call into Highway every time to find the instruction
// set. The choice is final: to test the kernels of a lesser instruction set, start a process that
// is restricted to it (ASAP_TEST_SIMD, see tests/README.md).
//
// Use a macro once per file, inside HWY_ONCE and in an unnamed namespace.

/// Defines `const KernelSet& kernels()`. Expects `const KernelSet* kernel_set()` in HWY_NAMESPACE.
#define ASAP_DEFINE_KERNELS(KernelSet)                                    \
  HWY_EXPORT(kernel_set);                                                 \
  const KernelSet& kernels() {                                            \
    static const KernelSet& chosen = *HWY_DYNAMIC_DISPATCH(kernel_set)(); \
    return chosen;                                                        \
  }

/// Defines `const KernelSet<T>& kernels<T>()` for float and double. Expects
/// `const KernelSet<float>* float_kernel_set()` and `const KernelSet<double>* double_kernel_set()`
/// in HWY_NAMESPACE.
#define ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(KernelSet)               \
  HWY_EXPORT(float_kernel_set);                                       \
  HWY_EXPORT(double_kernel_set);                                      \
  template <class T>                                                  \
  const KernelSet<T>& kernels() {                                     \
    static const KernelSet<T>& chosen = []() -> const KernelSet<T>& { \
      if constexpr (std::is_same_v<T, float>)                         \
        return *HWY_DYNAMIC_DISPATCH(float_kernel_set)();             \
      else                                                            \
        return *HWY_DYNAMIC_DISPATCH(double_kernel_set)();            \
    }();                                                              \
    return chosen;                                                    \
  }
