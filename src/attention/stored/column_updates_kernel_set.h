#pragma once

#include <cstdint>

namespace asap::attention {

/// The column updates of one instruction set; column_updates.h says what each computes. Vectors
/// hold `padded` values, of which `columns` are live.
template <class T>
struct ColumnUpdatesKernelSet {
  void (*update)(std::int64_t columns, T b, const T* column_sum, T* v, std::int64_t padded);
  /// `extra` may be null.
  void (*adjoint)(T b, const T* pulled, const T* extra, const T* v, T* w, std::int64_t padded);
  T(*update_with_slack)
  (std::int64_t columns, T b, T scaling, const T* entries, const T* column_sum, T* v,
   std::int64_t padded);
  /// `extra` may be null.
  T(*adjoint_with_slack)
  (T b, T weight, const T* entries, const T* pulled, const T* extra, const T* v, T* w,
   std::int64_t padded);
  T (*error)(std::int64_t columns, T b, const T* column_sum, const T* v);
};

}  // namespace asap::attention
