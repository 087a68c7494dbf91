// Included by gemm_<target>.cpp, each compiled for one instruction set, after it has defined ASAP_GEMM_NAME
// and renamed the namespace Eigen. Without the renaming the linker would keep one copy of Eigen's inline
// functions for all targets, and a processor without AVX-512 could meet AVX-512 code.

#include <Eigen/Core>

#include "tensor/gemm_eigen.h"

namespace asap {
namespace {

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
Eigen::Map<const RowMajor<T>, 0, Eigen::OuterStride<>> map(const MatrixView<const T>& m) {
  return {m.data, m.rows, m.cols, Eigen::OuterStride<>(m.stride)};
}

template <class T, class A, class B>
void accumulate(const GemmCall<T>& call, const A& a, const B& b) {
  Eigen::Map<RowMajor<T>, 0, Eigen::OuterStride<>> c(call.c.data, call.c.rows, call.c.cols,
                                                     Eigen::OuterStride<>(call.c.stride));
  if (call.beta == T(0))
    c.setZero();
  else if (call.beta != T(1))
    c *= call.beta;
  c.noalias() += call.alpha * (a * b);
}

template <class T>
void run(const GemmCall<T>& call) {
  const auto a = map<T>(call.a);
  const auto b = map<T>(call.b);
  if (call.transpose_a && call.transpose_b)
    accumulate(call, a.transpose(), b.transpose());
  else if (call.transpose_a)
    accumulate(call, a.transpose(), b);
  else if (call.transpose_b)
    accumulate(call, a, b.transpose());
  else
    accumulate(call, a, b);
}

}  // namespace

void ASAP_GEMM_NAME(const GemmCall<float>& call) { run(call); }
void ASAP_GEMM_NAME(const GemmCall<double>& call) { run(call); }

}  // namespace asap
