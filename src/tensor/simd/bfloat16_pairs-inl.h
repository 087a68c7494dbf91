// What kernels on the dot product of AVX512_BF16 share. Included by source files that are compiled
// for it: all of it is in an unnamed namespace, so that no copy reaches callers on other
// processors.
#pragma once

#include <cstdint>

#include <immintrin.h>

namespace asap::tensor {
namespace {

/// Two rows of floats as pairs of bfloat16, to nearest even.
inline __m512i pair(__m512 even, __m512 odd) {
  // Lower half: 16 rounded values of `even`, upper half: of `odd`; then lane by lane.
  const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(odd, even);
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, both);
}

/// Vectors of the next panel of columns when `left` are left, as in gemm.cpp and
/// tile_panels-inl.h.
inline std::int64_t panel_vectors(std::int64_t left) { return left == 4 ? 2 : left < 3 ? left : 3; }

}  // namespace
}  // namespace asap::tensor
