#include <cmath>
#include <limits>
#include <string>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "unit/tensor/simd/simd_test.cpp"
#include <hwy/foreach_target.h>

#include "tensor/simd/simd-inl.h"
#include "tensor/simd/transpose-inl.h"

#ifndef ASAP_SIMD_TEST_ONCE
#define ASAP_SIMD_TEST_ONCE
struct ExponentialErrors {
  double relative = 0;  ///< largest for t from -126 to 127.9
  int wrong = 0;        ///< special values, and values that a single lane computes differently
};
#endif

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

template <class T>
int count_transpose_errors() {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int kLanes = static_cast<int>(hn::MaxLanes(d));
  HWY_ALIGN T row[kLanes];
  V square[kLanes];
  int errors = 0;
  for (int i = 0; i < kLanes; ++i) square[i] = hn::Iota(d, T(100 * i));
  transpose_square(d, square);
  for (int i = 0; i < kLanes; ++i) {
    hn::Store(square[i], d, row);
    for (int j = 0; j < kLanes; ++j) errors += row[j] != T(100 * j + i);
  }
  for (int i = 0; i < kLanes; ++i) square[i] = hn::Iota(d, T(100 * i));
  hn::Store(sums_of_rows(d, square), d, row);
  for (int i = 0; i < kLanes; ++i)
    errors += row[i] != T(100 * i * kLanes + kLanes * (kLanes - 1) / 2);
  return errors;
}

}  // namespace

int transpose_errors() {
  return count_transpose_errors<float>() + count_transpose_errors<double>();
}

ExponentialErrors exp2_errors() {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto at = [&](float t) HWY_ATTR { return hn::GetLane(exp2_fast(d, hn::Set(d, t))); };
  ExponentialErrors errors;
  for (int step = 0; step < 253'900; ++step) {
    const float t = -126.0f + static_cast<float>(step) * 1e-3f;
    errors.relative = std::max(errors.relative, std::abs(at(t) / std::exp2(double(t)) - 1));
    errors.wrong += hn::GetLane(exp2_fast(one, hn::Set(one, t))) != at(t);
  }
  const float infinity = std::numeric_limits<float>::infinity();
  errors.wrong += at(0) != 1 || at(-3) != 0.125f || at(10) != 1024;
  errors.wrong += at(-1e4f) != 0 || at(-infinity) != 0 || at(-151) != 0;
  errors.wrong += at(129) != infinity || at(infinity) != infinity || at(1e30f) != infinity;
  errors.wrong += !std::isnan(at(std::numeric_limits<float>::quiet_NaN()));
  return errors;
}

}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <doctest/doctest.h>

namespace asap::tensor {
namespace {

HWY_EXPORT(transpose_errors);
HWY_EXPORT(exp2_errors);

/// Runs `check` once with each instruction set that this processor has and this binary holds.
template <class Check>
void for_each_instruction_set(const Check& check) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    INFO("instruction set " << std::string(hwy::TargetName(target)));
    check();
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace
}  // namespace asap::tensor

using namespace asap::tensor;

TEST_CASE("a square of vectors is transposed and summed in registers by every instruction set") {
  for_each_instruction_set([] { CHECK(HWY_DYNAMIC_DISPATCH(transpose_errors)() == 0); });
}

TEST_CASE("2^t has a small relative error and right limits in every instruction set") {
  for_each_instruction_set([] {
    const ExponentialErrors errors = HWY_DYNAMIC_DISPATCH(exp2_errors)();
    CHECK(errors.relative < 2 * std::numeric_limits<float>::epsilon());
    CHECK(errors.wrong == 0);
  });
}
#endif
