#define Eigen Eigen_avx512
#define ASAP_GEMM_NAME gemm_avx512
#include "tensor/gemm_eigen-inl.h"
