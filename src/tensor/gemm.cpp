#include "tensor/gemm.h"

#include <hwy/targets.h>

#include "tensor/gemm_eigen.h"

namespace asap {
namespace {

template <class T>
using GemmFunction = void (*)(const GemmCall<T>&);

/// The fastest Eigen build this processor can run, chosen once.
template <class T>
GemmFunction<T> choose() {
#if HWY_ARCH_X86
  const std::int64_t targets = hwy::SupportedTargets();
  if (targets & (HWY_AVX3 | HWY_AVX3_DL)) return &gemm_avx512;
  if (targets & HWY_AVX2) return &gemm_avx2;
#endif
  return &gemm_baseline;
}

}  // namespace

template <class T>
void gemm(Transpose transpose_a, Transpose transpose_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> c) {
  static const GemmFunction<T> run = choose<T>();
  const bool ta = transpose_a == Transpose::yes;
  const bool tb = transpose_b == Transpose::yes;
  const std::int64_t inner = ta ? a.rows : a.cols;
  check((ta ? a.cols : a.rows) == c.rows && (tb ? b.rows : b.cols) == c.cols &&
            (tb ? b.cols : b.rows) == inner,
        "gemm: shapes do not fit");
  if (c.rows == 0 || c.cols == 0) return;
  run({ta, tb, alpha, beta, a, b, c});
}

template void gemm<float>(Transpose, Transpose, float, MatrixView<const float>,
                          MatrixView<const float>, float, MatrixView<float>);
template void gemm<double>(Transpose, Transpose, double, MatrixView<const double>,
                           MatrixView<const double>, double, MatrixView<double>);

}  // namespace asap
