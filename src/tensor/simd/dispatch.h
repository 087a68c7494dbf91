#pragma once

#include <type_traits>

#include <hwy/highway.h>

/// Defines kernels<T>(), the table of kernels for the best instruction set this processor has,
/// chosen at its first use. Expects functions name_float and name_double that return `const
/// Table<float>*` and `const Table<double>*`, compiled by hwy/foreach_target.h. To be used once per
/// file, inside HWY_ONCE and an unnamed namespace inside asap.
#define ASAP_DEFINE_KERNELS(Table, name)                      \
  HWY_EXPORT(name##_float);                                   \
  HWY_EXPORT(name##_double);                                  \
  template <class T>                                          \
  const Table<T>& kernels() {                                 \
    static const Table<T>& chosen = []() -> const Table<T>& { \
      if constexpr (std::is_same_v<T, float>)                 \
        return *HWY_DYNAMIC_DISPATCH(name##_float)();         \
      else                                                    \
        return *HWY_DYNAMIC_DISPATCH(name##_double)();        \
    }();                                                      \
    return chosen;                                            \
  }
